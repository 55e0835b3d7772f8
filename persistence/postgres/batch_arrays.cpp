// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/batch_arrays.hpp"

#include <algorithm>
#include <string>

namespace eventweft::postgres {
namespace {

// An empty array if no event of the batch has any.
template <class Get>
void add_details(array_columns& out, std::span<const event_row> rows, Get get) {
  size_t bytes = 0;
  for (const auto& row : rows)
    bytes += get(row.it->details).size();
  if (bytes == 0) {
    out.add_empty(type_oid::json);
    return;
  }
  const auto value = [&](const event_row& row) {
    const std::string& text = get(row.it->details);
    return text.empty() ? std::optional<std::string_view>{} : text;
  };
  out.add(type_oid::json, rows, value, bytes);
}

std::optional<uuid> unless_nil(const uuid& id) {
  return id.is_nil() ? std::nullopt : std::optional{id};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts)
    out.append(out.empty() ? "" : ",").append(text);
  return out;
}

} // namespace

void add_event_columns(array_columns& out, std::span<const event_row> rows) {
  const auto text = [&](const std::string event::*member) {
    out.add(
        type_oid::text,
        rows, [&](const event_row& r) -> const auto& { return r.it->*member; });
  };
  out.add(
      type_oid::uuid, rows,
      [](const event_row& r) -> const auto& { return r.it->id; });
  text(&event::event_id);
  text(&event::platform);
  text(&event::event_type);
  text(&event::source_id);
  text(&event::source_name);
  text(&event::actor_id);
  text(&event::actor_name);
  out.add(type_oid::text, rows,
          [](const event_row& r) { return to_string(r.it->priority); });
  out.add(type_oid::uuid, rows, [](const event_row& r) { return r.thread; });
  out.add(type_oid::uuid, rows, [](const event_row& r) { return r.parent; });
  out.add(
      type_oid::json, rows,
      [](const event_row& r) -> const auto& { return r.it->metadata; });
  out.add(type_oid::timestamptz, rows,
          [](const event_row& r) { return r.it->created_at; });
  out.add(type_oid::timestamptz, rows,
          [](const event_row& r) { return r.it->processed_at; });
  out.add(type_oid::float8, rows,
          [](const event_row& r) { return r.it->processing_duration; });
  out.add(type_oid::int4, rows, [](const event_row& r) {
    return static_cast<int32_t>(r.it->payload.size());
  });
  size_t payload_bytes = 0;
  for (const auto& r : rows)
    payload_bytes += r.it->stored_payload().size();
  out.add(
      type_oid::json, rows,
      [](const event_row& r) { return r.it->stored_payload().view(); },
      payload_bytes);
  out.add(type_oid::text, rows, [](const event_row& r) {
    return r.it->payload_readable.empty() ? std::optional<std::string_view>{}
                                          : r.it->payload.view();
  });
  add_details(
      out, rows, [](auto& d) -> auto& { return d.github; });
  add_details(
      out, rows, [](auto& d) -> auto& { return d.linear; });
  add_details(
      out, rows, [](auto& d) -> auto& { return d.slack; });
  add_details(
      out, rows, [](auto& d) -> auto& { return d.deployment; });
}

void add_thread_columns(
    array_columns& out, const correlation::thread_changes& changes,
    const std::map<uuid, thread_batch::growth_detail>& details,
    const std::map<uuid, timestamp>& created_at) {
  using namespace correlation;
  const auto time_of = [&](const uuid& event) -> std::optional<timestamp> {
    const auto at = created_at.find(event);
    return at == created_at.end() ? std::nullopt : std::optional{at->second};
  };
  const thread_batch::growth_detail no_detail;
  const auto detail_of = [&](const uuid& thread) -> const auto& {
    const auto at = details.find(thread);
    return at == details.end() ? no_detail : at->second;
  };
  const auto number = [](uint64_t n) { return static_cast<int64_t>(n); };

  const auto& merges = changes.merges;
  out.add(type_oid::uuid, merges, [](const thread_merge& m) { return m.from; });
  out.add(type_oid::uuid, merges, [](const thread_merge& m) { return m.into; });

  const auto& growth = changes.growth;
  out.add(type_oid::uuid, growth, [](const auto& g) { return g.thread; });
  out.add(type_oid::int8, growth,
          [&](const auto& g) { return number(g.events); });
  out.add(type_oid::int8, growth, [&](const auto& g) {
    return static_cast<int64_t>(detail_of(g.thread).last_seq);
  });
  out.add(type_oid::timestamptz, growth, [](const auto& g) { return g.first; });
  out.add(type_oid::timestamptz, growth, [](const auto& g) { return g.last; });
  out.add(type_oid::text, growth,
          [&](const auto& g) { return joined(detail_of(g.thread).platforms); });

  const auto& keys = changes.keys;
  out.add(
      type_oid::text, keys, [](const auto& k) -> const auto& { return k.key; });
  out.add(type_oid::uuid, keys, [](const auto& k) { return k.thread; });
  out.add(type_oid::uuid, keys,
          [](const auto& k) { return unless_nil(k.owner); });
  out.add(type_oid::int8, keys, [&](const auto& k) { return number(k.links); });
  out.add(type_oid::int8, keys,
          [&](const auto& k) { return number(k.mentions); });
  out.add(type_oid::timestamptz, keys,
          [](const auto& k) { return k.last_seen; });

  std::vector<membership> adopted;
  std::ranges::copy_if(changes.members, std::back_inserter(adopted),
                       [](const auto& m) { return m.adopted; });
  out.add(type_oid::uuid, adopted, [](const auto& m) { return m.event; });
  out.add(type_oid::timestamptz, adopted,
          [&](const auto& m) { return time_of(m.event); });
  out.add(type_oid::uuid, adopted, [](const auto& m) { return m.thread; });

  out.add(
      type_oid::text, changes.facts,
      [](const auto& f) -> const auto& { return f.fact; });
  out.add(
      type_oid::text, changes.facts,
      [](const auto& f) -> const auto& { return f.value; });

  const auto& pending = changes.pending;
  out.add(
      type_oid::text, pending,
      [](const auto& p) -> const auto& { return p.fact; });
  out.add(type_oid::uuid, pending, [](const auto& p) { return p.event; });
  out.add(type_oid::timestamptz, pending, [](const auto& p) { return p.at; });
  out.add(
      type_oid::text, pending,
      [](const auto& p) -> const auto& { return p.key.key; });
  out.add(type_oid::json, pending,
          [](const auto& p) { return thread_batch::evidence_json(p.key); });

  const auto& resolved = changes.resolved;
  out.add(
      type_oid::text, resolved,
      [](const auto& p) -> const auto& { return p.fact; });
  out.add(type_oid::uuid, resolved, [](const auto& p) { return p.event; });
  out.add(
      type_oid::text, resolved,
      [](const auto& p) -> const auto& { return p.key.key; });

  const auto& links = changes.links;
  out.add(type_oid::uuid, links, [](const auto& l) { return l.event; });
  out.add(type_oid::timestamptz, links,
          [&](const auto& l) { return time_of(l.event); });
  out.add(
      type_oid::text, links,
      [](const auto& l) -> const auto& { return l.key.key; });
  out.add(type_oid::text, links,
          [](const auto& l) { return to_string(l.key.type); });
  out.add(type_oid::float8, links,
          [](const auto& l) { return static_cast<double>(l.key.confidence); });
  out.add(type_oid::text, links,
          [](const auto& l) { return to_string(l.why); });
  out.add(
      type_oid::text, links,
      [](const auto& l) -> const auto& { return l.key.rule; });
  out.add(
      type_oid::text, links,
      [](const auto& l) -> const auto& { return l.key.field; });
  out.add(
      type_oid::text, links,
      [](const auto& l) -> const auto& { return l.key.matched; });
}

} // namespace eventweft::postgres
