// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/processing.hpp"

#include "persistence/batch.hpp"
#include "persistence/postgres/array_columns.hpp"
#include "persistence/processing_figures.hpp"

#include <optional>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

/// Null while this node has the event to do.
std::optional<std::string> others_of(const processing::status_row& row) {
  if (!row.settled)
    return std::nullopt;
  std::string out;
  for (const auto& name : row.others)
    out.append(out.empty() ? "" : ",").append(name);
  return out;
}

/// The columns of `record_processing`, in the order of its parameters.
array_columns arrays_of(const processing::changes& what) {
  array_columns out;
  const auto& rows = what.rows;
  out.add(type_oid::uuid, rows, [](auto& r) { return r.event->id; });
  out.add(type_oid::timestamptz, rows,
          [](auto& r) { return r.event->created_at; });
  out.add(type_oid::text, rows, [](auto& r) { return to_string(r.status); });
  out.add(type_oid::int4, rows,
          [](auto& r) { return static_cast<int32_t>(r.attempts); });
  out.add(type_oid::text, rows, [](auto& r) {
    return r.error.empty() ? std::optional<std::string>{}
                           : storable_text(r.error);
  });
  out.add(type_oid::timestamptz, rows, [](auto& r) { return r.started_at; });
  out.add(type_oid::timestamptz, rows, [](auto& r) { return r.completed_at; });
  out.add(type_oid::float8, rows, [](auto& r) { return r.duration; });
  out.add(type_oid::text, rows, [](auto& r) { return others_of(r); });
  const auto& marks = what.marks;
  out.add(type_oid::text, marks,
          [](auto& m) { return std::string_view{m.feed}; });
  out.add(type_oid::text, marks,
          [](auto& m) { return std::to_string(m.cursor); });
  out.add(type_oid::json, marks,
          [](auto& m) { return std::string_view{m.mark}; });
  const auto figures = figures_of(rows);
  out.add(type_oid::timestamptz, figures, [](auto& f) { return f.day; });
  out.add(type_oid::text, figures,
          [](auto& f) { return std::string_view{f.platform}; });
  out.add(type_oid::text, figures,
          [](auto& f) { return std::string_view{f.event_type}; });
  out.add(type_oid::text, figures,
          [](auto& f) { return std::string_view{f.source_name}; });
  out.add(type_oid::int4, figures, [](auto& f) { return f.failed; });
  out.add(type_oid::int4, figures, [](auto& f) { return f.completed; });
  out.add(type_oid::float8, figures, [](auto& f) { return f.total; });
  out.add(type_oid::float8, figures, [](auto& f) { return f.longest; });
  return out;
}

} // namespace

expected<std::vector<processing::stored_mark>>
processing_session::marks(std::string_view processor) {
  using result_t = expected<std::vector<processing::stored_mark>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<processing::stored_mark> out;
    for (const auto& row :
         tx.exec("SELECT feed, cursor_seq, mark FROM processor_marks "
                 "WHERE processor_name = $1",
                 pqxx::params{std::string{processor}}))
      out.push_back({std::string{row[0].view()}, row[1].as<seq_t>(),
                     std::string{row[2].view()}});
    return out;
  });
}

expected<processing::named_marks> processing_session::known() {
  return pool_->call(
      retry::yes,
      [&](pqxx::connection& c) -> expected<processing::named_marks> {
        pqxx::nontransaction tx{c};
        processing::named_marks out;
        for (const auto& row :
             tx.exec("SELECT processor_name, feed, cursor_seq, mark "
                     "FROM processor_marks ORDER BY processor_name"))
          out.push_back({std::string{row[0].view()},
                         {std::string{row[1].view()}, row[2].as<seq_t>(),
                          std::string{row[3].view()}}});
        return out;
      });
}

expected<void> processing_session::record(std::string_view processor,
                                          const fence& owner,
                                          const processing::changes& what) {
  const auto columns = arrays_of(what);
  auto write = [&](connection& own, pqxx::connection& c) -> expected<void> {
    own.prepare("record_processing",
                "SELECT record_processing($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, "
                "$22, $23)");
    pqxx::params p;
    p.append(std::string{processor});
    p.append(owner.work);
    p.append(owner.token);
    columns.append_to(p);
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(pqxx::prepped{"record_processing"}, p);
    if (!rows.one_field().as<bool>())
      return fail(ec::not_owner,
                  "another node owns processor " + std::string{processor});
    return {};
  };
  return pool_->with_connection([&](connection& own) {
    return own.call(retry::yes,
                    [&](pqxx::connection& c) { return write(own, c); });
  });
}

} // namespace eventweft::postgres
