// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/rows.hpp"

#include "codec/dead_letter_json.hpp"

#include <charconv>
#include <chrono>
#include <stdexcept>

namespace eventweft::postgres {
namespace {

template <class Number>
Number read_number(std::string_view text) {
  Number value{};
  auto [end, failed] = std::from_chars(text.begin(), text.end(), value);
  if (failed != std::errc{} || end != text.end())
    throw std::runtime_error{"not a number: " + std::string{text}};
  return value;
}

unsigned digits(std::string_view text, size_t at, size_t count) {
  return read_number<unsigned>(text.substr(at, count));
}

} // namespace

timestamp read_time(std::string_view text) {
  using namespace std::chrono;
  auto zone = text.rfind("+00");
  if (zone == std::string_view::npos || zone < 19 || text.size() != zone + 3)
    throw std::runtime_error{"not a time in UTC: " + std::string{text}};
  auto date = year{static_cast<int>(digits(text, 0, 4))} /
              month{digits(text, 5, 2)} / day{digits(text, 8, 2)};
  auto moment = sys_days{date} + hours{digits(text, 11, 2)} +
                minutes{digits(text, 14, 2)} + seconds{digits(text, 17, 2)};
  auto micros = microseconds{0};
  if (zone > 20) {
    auto fraction = text.substr(20, zone - 20);
    auto value = digits(fraction, 0, fraction.size());
    for (auto n = fraction.size(); n < 6; ++n)
      value *= 10;
    micros = microseconds{value};
  }
  return moment + micros;
}

std::string time_text(timestamp t) {
  return to_rfc3339(t);
}

uuid read_uuid(std::string_view text) {
  auto id = uuid::parse(text);
  if (!id)
    throw std::runtime_error{"not a UUID: " + std::string{text}};
  return *id;
}

event_ptr read_event(const pqxx::row& row) {
  int column = 0;
  auto next = [&] { return row[column++]; };
  auto text = [&] { return std::string{next().view()}; };
  event e;
  e.seq = read_number<seq_t>(next().view());
  e.id = read_uuid(next().view());
  e.created_at = read_time(next().view());
  if (auto f = next(); !f.is_null())
    e.processed_at = read_time(f.view());
  if (auto f = next(); !f.is_null())
    e.processing_duration = read_number<double>(f.view());
  if (auto f = next(); !f.is_null())
    e.correlation_id = read_uuid(f.view());
  if (auto f = next(); !f.is_null())
    e.parent_event_id = read_uuid(f.view());
  e.priority = parse_priority(next().view()).value_or(priority::normal);
  e.platform = text();
  e.event_id = text();
  e.event_type = text();
  e.source_id = text();
  e.source_name = text();
  e.actor_id = text();
  e.actor_name = text();
  e.metadata = text();
  e.payload = shared_text{text()};
  if (auto raw = next(); !raw.is_null()) {
    e.payload_readable = std::move(e.payload);
    e.payload = shared_text{std::string{raw.view()}};
  }
  return event_ptr{std::move(e)};
}

dead_letter read_dead_letter(const pqxx::row& row, bool with_body) {
  dead_letter d;
  d.id = read_uuid(row[0].view());
  d.created_at = read_time(row[1].view());
  d.origin = row[2].view();
  d.reason = row[3].view();
  d.attempts = read_number<uint32_t>(row[4].view());
  d.history = codec::parse_attempts(row[5].view());
  if (!row[6].is_null())
    d.event_id = read_uuid(row[6].view());
  d.event_seq = read_number<seq_t>(row[7].view());
  d.platform = row[8].view();
  d.event_type = row[9].view();
  if (with_body)
    for (auto b : row[10].as<pqxx::bytes>())
      d.body += static_cast<char>(b);
  else
    d.body_bytes = read_number<uint64_t>(row[10].view());
  return d;
}

std::vector<std::string> read_texts(const pqxx::field& f) {
  const auto texts = f.as_sql_array<std::string>();
  return {texts.cbegin(), texts.cend()};
}

std::optional<event_ptr> find_event(pqxx::transaction_base& tx,
                                    const uuid& id) {
  const auto rows = tx.exec("SELECT " + std::string{event_columns} +
                                " FROM events WHERE id = $1",
                            pqxx::params{to_string(id)});
  if (rows.empty())
    return std::nullopt;
  return read_event(rows.front());
}

} // namespace eventweft::postgres
