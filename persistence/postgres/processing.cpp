// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/processing.hpp"

#include "persistence/batch.hpp"
#include "persistence/postgres/array_writer.hpp"
#include "persistence/processing_figures.hpp"

#include <deque>
#include <optional>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

void add(array_writer& out, std::string_view text) {
  out.add(text);
}
void add(array_writer& out, const uuid& id) {
  out.add(id);
}
void add(array_writer& out, int32_t n) {
  out.add(n);
}
void add(array_writer& out, double n) {
  out.add(n);
}
void add(array_writer& out, timestamp t) {
  out.add(t);
}
template <class T>
void add(array_writer& out, const std::optional<T>& value) {
  if (value)
    add(out, *value);
  else
    out.add_null();
}

/// The arrays of `record_processing`, in the order of its parameters.
class arrays {
 public:
  template <class Rows, class Get>
  void column(type_oid type, const Rows& rows, Get get) {
    auto& out = all_.emplace_back(type, rows.size(), 24 * rows.size());
    for (const auto& row : rows)
      add(out, get(row));
  }

  void append_to(pqxx::params& p) const {
    for (const auto& array : all_)
      p.append(pqxx::binary_cast(array.bytes()));
  }

 private:
  std::deque<array_writer> all_;
};

/// Null while this node has the event to do.
std::optional<std::string> others_of(const processing::status_row& row) {
  if (!row.settled)
    return std::nullopt;
  std::string out;
  for (const auto& name : row.others)
    out.append(out.empty() ? "" : ",").append(name);
  return out;
}

arrays arrays_of(const processing::changes& what) {
  arrays out;
  const auto& rows = what.rows;
  out.column(type_oid::uuid, rows, [](auto& r) { return r.event->id; });
  out.column(type_oid::timestamptz, rows,
             [](auto& r) { return r.event->created_at; });
  out.column(type_oid::text, rows, [](auto& r) { return to_string(r.status); });
  out.column(type_oid::int4, rows,
             [](auto& r) { return static_cast<int32_t>(r.attempts); });
  out.column(type_oid::text, rows, [](auto& r) {
    return r.error.empty() ? std::optional<std::string>{}
                           : storable_text(r.error);
  });
  out.column(type_oid::timestamptz, rows, [](auto& r) { return r.started_at; });
  out.column(type_oid::timestamptz, rows,
             [](auto& r) { return r.completed_at; });
  out.column(type_oid::float8, rows, [](auto& r) { return r.duration; });
  out.column(type_oid::text, rows, [](auto& r) { return others_of(r); });
  const auto& marks = what.marks;
  out.column(type_oid::text, marks,
             [](auto& m) { return std::string_view{m.feed}; });
  out.column(type_oid::text, marks,
             [](auto& m) { return std::to_string(m.cursor); });
  out.column(type_oid::json, marks,
             [](auto& m) { return std::string_view{m.mark}; });
  const auto figures = figures_of(rows);
  out.column(type_oid::timestamptz, figures, [](auto& f) { return f.day; });
  out.column(type_oid::text, figures,
             [](auto& f) { return std::string_view{f.platform}; });
  out.column(type_oid::text, figures,
             [](auto& f) { return std::string_view{f.event_type}; });
  out.column(type_oid::text, figures,
             [](auto& f) { return std::string_view{f.source_name}; });
  out.column(type_oid::int4, figures, [](auto& f) { return f.failed; });
  out.column(type_oid::int4, figures, [](auto& f) { return f.completed; });
  out.column(type_oid::float8, figures, [](auto& f) { return f.total; });
  out.column(type_oid::float8, figures, [](auto& f) { return f.longest; });
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
