// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/rows.hpp"

#include "codec/dead_letter_json.hpp"
#include "codec/json_text.hpp"

#include <array>
#include <stdexcept>
#include <utility>

namespace eventweft::sqlite {

std::string_view view(const SQLite::Column& column) {
  // The text first: asking for it may change how many bytes there are.
  auto* text = column.getText("");
  return {text, static_cast<size_t>(column.getBytes())};
}

timestamp read_time(std::string_view text) {
  auto t = parse_rfc3339(text);
  if (!t)
    throw std::runtime_error{"not a time: " + std::string{text}};
  return *t;
}

uuid read_uuid(std::string_view text) {
  auto id = uuid::parse(text);
  if (!id)
    throw std::runtime_error{"not a UUID: " + std::string{text}};
  return *id;
}
event_ptr read_event(SQLite::Statement& row) {
  int column = 0;
  auto next = [&] { return row.getColumn(column++); };
  auto text = [&] { return std::string{view(next())}; };
  event e;
  e.seq = next().getInt64();
  e.id = read_uuid(view(next()));
  e.created_at = read_time(view(next()));
  if (auto c = next(); !c.isNull())
    e.processed_at = read_time(view(c));
  if (auto c = next(); !c.isNull())
    e.processing_duration = c.getDouble();
  if (auto c = next(); !c.isNull())
    e.correlation_id = read_uuid(view(c));
  if (auto c = next(); !c.isNull())
    e.parent_event_id = read_uuid(view(c));
  e.priority = parse_priority(view(next())).value_or(priority::normal);
  e.platform = text();
  e.event_id = text();
  e.event_type = text();
  e.source_id = text();
  e.source_name = text();
  e.actor_id = text();
  e.actor_name = text();
  e.metadata = text();
  e.payload = shared_text{text()};
  if (auto raw = next(); !raw.isNull()) {
    e.payload_readable = std::move(e.payload);
    e.payload = shared_text{std::string{view(raw)}};
  }
  return event_ptr{std::move(e)};
}

void bind_text(SQLite::Statement& s, int index, std::string_view text) {
  // A null pointer would bind NULL.
  s.bindNoCopy(index, text.empty() ? "" : text.data(),
               static_cast<int>(text.size()));
}

void bind_event(SQLite::Statement& insert, const event& e,
                const std::optional<uuid>& thread,
                const std::optional<uuid>& parent, seq_t seq, int64_t key) {
  int index = 0;
  auto text = [&](std::string_view value) {
    bind_text(insert, ++index, value);
  };
  auto copied = [&](const std::string& value) { insert.bind(++index, value); };
  auto maybe = [&](const auto& value, auto convert) {
    if (value)
      insert.bind(++index, convert(*value));
    else
      insert.bind(++index);
  };
  auto time = [](timestamp t) { return to_rfc3339(t); };
  auto id = [](const uuid& u) { return to_string(u); };
  insert.bind(++index, static_cast<int64_t>(seq));
  copied(to_string(e.id));
  copied(to_rfc3339(e.created_at));
  maybe(e.processed_at, time);
  maybe(e.processing_duration, [](double d) { return d; });
  maybe(thread, id);
  maybe(parent, id);
  text(to_string(e.priority));
  text(e.platform);
  text(e.event_id);
  text(e.event_type);
  text(e.source_id);
  text(e.source_name);
  text(e.actor_id);
  text(e.actor_name);
  text(e.metadata);
  text(e.stored_payload().view());
  if (e.payload_readable.empty())
    insert.bind(++index);
  else
    text(e.payload.view());
  insert.bind(++index, key);
}

dead_letter read_dead_letter(SQLite::Statement& row, bool with_body) {
  dead_letter d;
  d.id = read_uuid(view(row.getColumn(0)));
  d.created_at = read_time(view(row.getColumn(1)));
  d.origin = view(row.getColumn(2));
  d.reason = view(row.getColumn(3));
  d.attempts = row.getColumn(4).getUInt();
  d.history = codec::parse_attempts(view(row.getColumn(5)));
  if (auto c = row.getColumn(6); !c.isNull())
    d.event_id = read_uuid(view(c));
  d.event_seq = row.getColumn(7).getInt64();
  d.platform = view(row.getColumn(8));
  d.event_type = view(row.getColumn(9));
  auto body = row.getColumn(10);
  if (!with_body)
    d.body_bytes = static_cast<uint64_t>(body.getInt64());
  else if (auto* bytes = static_cast<const char*>(body.getBlob()))
    d.body.assign(bytes, static_cast<size_t>(body.getBytes()));
  return d;
}

int64_t event_key(std::string_view platform, std::string_view event_id) {
  // FNV-1a over "platform:event_id", then MurmurHash3's finaliser.
  uint64_t h = 0xcbf29ce484222325;
  auto mix = [&h](std::string_view text) {
    for (char c : text)
      h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  mix(platform);
  mix(":");
  mix(event_id);
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return static_cast<int64_t>(h ^ (h >> 33));
}

std::string_view unstorable_member(const event& e) {
  const std::array<std::pair<std::string_view, std::string_view>, 9> members{{
      {"platform", e.platform},
      {"event_id", e.event_id},
      {"event_type", e.event_type},
      {"source_id", e.source_id},
      {"source_name", e.source_name},
      {"actor_id", e.actor_id},
      {"actor_name", e.actor_name},
      {"metadata", e.metadata},
      {"payload", e.payload.view()},
  }};
  for (const auto& [name, text] : members)
    if (text.find('\0') != std::string_view::npos || !codec::is_utf8(text))
      return name;
  return {};
}

std::optional<event_ptr> find_event(database& db, const uuid& id) {
  static const std::string sql =
      "SELECT " + std::string{event_columns} + " FROM events WHERE id = ?";
  auto& q = db.prepared(sql);
  binder{q} << id;
  std::optional<event_ptr> found;
  if (q.executeStep())
    found = read_event(q);
  q.reset();
  return found;
}

} // namespace eventweft::sqlite
