// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/type_ids.hpp"

#include <caf/inspector_access.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

/// How each message type is written and read. Only `type_ids.cpp` and tests
/// include this: CAF reaches the inspectors through its table of types.
namespace eventweft {

namespace detail {

/// Enums travel as their integer; a value beyond `last` is refused.
template <class Inspector, class Enum>
bool inspect_enum(Inspector& f, Enum& x, Enum last) {
  auto get = [&x] { return static_cast<uint8_t>(x); };
  auto set = [&x, last](uint8_t value) {
    if (value > static_cast<uint8_t>(last))
      return false;
    x = static_cast<Enum>(value);
    return true;
  };
  return f.apply(get, set);
}

/// A pointer to something immutable travels as what it points to.
template <class T, class Inspector, class Pointer, class Make>
bool inspect_pointee(Inspector& f, Pointer& x, Make make) {
  std::optional<T> value;
  if constexpr (Inspector::is_loading) {
    if (!f.object(x).fields(f.field("value", value)))
      return false;
    x = value ? make(std::move(*value)) : Pointer{};
    return true;
  } else {
    if (x)
      value.emplace(*x);
    return f.object(x).fields(f.field("value", value));
  }
}

} // namespace detail

template <class Inspector>
bool inspect(Inspector& f, ec& x) {
  return detail::inspect_enum(f, x, ec::outdated);
}

template <class Inspector>
bool inspect(Inspector& f, priority& x) {
  return detail::inspect_enum(f, x, priority::critical);
}

template <class Inspector>
bool inspect(Inspector& f, error& x) {
  return f.object(x).fields(f.field("code", x.code),
                            f.field("message", x.message));
}

template <class Inspector>
bool inspect(Inspector& f, uuid& x) {
  return f.object(x).fields(f.field("bytes", x.bytes));
}

template <class Inspector>
bool inspect(Inspector& f, shared_text& x) {
  auto get = [&x] { return std::string{x.view()}; };
  auto set = [&x](std::string text) {
    x = text.empty() ? shared_text{} : shared_text{std::move(text)};
    return true;
  };
  return f.apply(get, set);
}

template <class Inspector>
bool inspect(Inspector& f, correlation_noun& x) {
  return detail::inspect_enum(f, x, correlation_noun::cause);
}

template <class Inspector>
bool inspect(Inspector& f, correlation_type& x) {
  return f.object(x).fields(f.field("from", x.from), f.field("to", x.to));
}

template <class Inspector>
bool inspect(Inspector& f, correlation_key& x) {
  return f.object(x).fields(
      f.field("key", x.key), f.field("type", x.type),
      f.field("confidence", x.confidence), f.field("needs", x.needs),
      f.field("rule", x.rule), f.field("field", x.field),
      f.field("matched", x.matched), f.field("window", x.window),
      f.field("from_text", x.from_text));
}

template <class Inspector>
bool inspect(Inspector& f, event_details& x) {
  return f.object(x).fields(
      f.field("github", x.github), f.field("linear", x.linear),
      f.field("slack", x.slack), f.field("deployment", x.deployment));
}

template <class Inspector>
bool inspect(Inspector& f, event& x) {
  return f.object(x).fields(
      f.field("id", x.id), f.field("seq", x.seq),
      f.field("event_id", x.event_id), f.field("platform", x.platform),
      f.field("event_type", x.event_type), f.field("source_id", x.source_id),
      f.field("source_name", x.source_name), f.field("actor_id", x.actor_id),
      f.field("actor_name", x.actor_name), f.field("priority", x.priority),
      f.field("correlation_id", x.correlation_id),
      f.field("parent_event_id", x.parent_event_id),
      f.field("metadata", x.metadata), f.field("created_at", x.created_at),
      f.field("processed_at", x.processed_at),
      f.field("processing_duration", x.processing_duration),
      f.field("payload", x.payload),
      f.field("payload_readable", x.payload_readable),
      f.field("details", x.details), f.field("keys", x.keys));
}

template <class Inspector>
bool inspect(Inspector& f, event_ptr& x) {
  return detail::inspect_pointee<event>(
      f, x, [](event&& e) { return event_ptr{std::move(e)}; });
}

template <class Inspector>
bool inspect(Inspector& f, late_link& x) {
  return f.object(x).fields(f.field("event", x.event),
                            f.field("thread", x.thread),
                            f.field("parent", x.parent));
}

template <class Inspector>
bool inspect(Inspector& f, thread_news& x) {
  return f.object(x).fields(f.field("links", x.links),
                            f.field("names", x.names));
}

template <class Inspector>
bool inspect(Inspector& f, log_range& x) {
  return f.object(x).fields(f.field("first", x.first), f.field("last", x.last),
                            f.field("events", x.events),
                            f.field("news", x.news));
}

template <class Inspector>
bool inspect(Inspector& f, append_outcome& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("seq", x.seq),
                            f.field("duplicate", x.duplicate),
                            f.field("spooled", x.spooled));
}

template <class Inspector>
bool inspect(Inspector& f, append_result& x) {
  return f.object(x).fields(f.field("outcome", x.outcome),
                            f.field("refused", x.refused),
                            f.field("correlation_id", x.correlation_id),
                            f.field("parent_event_id", x.parent_event_id));
}

template <class Inspector>
bool inspect(Inspector& f, key_lookups& x) {
  return f.object(x).fields(f.field("known", x.known), f.field("read", x.read),
                            f.field("assumed", x.assumed),
                            f.field("rows", x.rows));
}

template <class Inspector>
bool inspect(Inspector& f, hot_key& x) {
  return f.object(x).fields(f.field("key", x.key),
                            f.field("by_remarks", x.by_remarks));
}

template <class Inspector>
bool inspect(Inspector& f, thread_report& x) {
  return f.object(x).fields(
      f.field("merges", x.merges), f.field("facts", x.facts),
      f.field("hot_keys", x.hot_keys), f.field("huge_keys", x.huge_keys),
      f.field("linked", x.linked), f.field("started", x.started),
      f.field("lookups", x.lookups), f.field("news", x.news));
}

template <class Inspector>
bool inspect(Inspector& f, log_mark& x) {
  return f.object(x).fields(f.field("seq", x.seq), f.field("id", x.id),
                            f.field("created_at", x.created_at));
}

template <class Inspector>
bool inspect(Inspector& f, append_results& x) {
  return f.object(x).fields(
      f.field("items", x.items), f.field("threads", x.threads),
      f.field("unsynced", x.unsynced), f.field("contended", x.contended));
}

template <class Inspector>
bool inspect(Inspector& f, event_batch& x) {
  return f.object(x).fields(f.field("events", x.events),
                            f.field("sync_later", x.sync_later));
}

template <class Inspector>
bool inspect(Inspector& f, page_request& x) {
  return f.object(x).fields(f.field("after", x.after),
                            f.field("max_events", x.max_events),
                            f.field("max_bytes", x.max_bytes));
}

template <class Inspector>
bool inspect(Inspector& f, event_place& x) {
  return f.object(x).fields(f.field("seq", x.seq), f.field("thread", x.thread),
                            f.field("parent", x.parent));
}

template <class Inspector>
bool inspect(Inspector& f, places_request& x) {
  return f.object(x).fields(f.field("after", x.after), f.field("last", x.last),
                            f.field("max_events", x.max_events));
}

template <class Inspector>
bool inspect(Inspector& f, places_page& x) {
  return f.object(x).fields(f.field("version", x.version),
                            f.field("events", x.events),
                            f.field("last", x.last));
}

template <class Inspector>
bool inspect(Inspector& f, filter& x) {
  return f.object(x).fields(f.field("platforms", x.platforms),
                            f.field("event_types", x.event_types),
                            f.field("source_ids", x.source_ids),
                            f.field("source_names", x.source_names),
                            f.field("actor_ids", x.actor_ids),
                            f.field("correlation_ids", x.correlation_ids),
                            f.field("min_priority", x.min_priority),
                            f.field("custom_filters", x.custom_filters));
}

template <class Inspector>
bool inspect(Inspector& f, start_point::kind& x) {
  return detail::inspect_enum(f, x, start_point::kind::at_time);
}

template <class Inspector>
bool inspect(Inspector& f, start_point& x) {
  return f.object(x).fields(f.field("from", x.from), f.field("seq", x.seq),
                            f.field("time", x.time));
}

template <class Inspector>
bool inspect(Inspector& f, event_query& x) {
  auto get_limit = [&x] { return static_cast<uint64_t>(x.limit); };
  auto set_limit = [&x](uint64_t value) {
    x.limit = static_cast<size_t>(value);
    return true;
  };
  return f.object(x).fields(
      f.field("id", x.id), f.field("event_ids", x.event_ids),
      f.field("platforms", x.platforms), f.field("event_types", x.event_types),
      f.field("source_ids", x.source_ids),
      f.field("source_names", x.source_names), f.field("actors", x.actors),
      f.field("actor_ids", x.actor_ids), f.field("actor_names", x.actor_names),
      f.field("priorities", x.priorities),
      f.field("correlation_id", x.correlation_id),
      f.field("parent_event_id", x.parent_event_id),
      f.field("processed", x.processed),
      f.field("processed_since", x.processed_since),
      f.field("processed_until", x.processed_until),
      f.field("min_duration", x.min_duration),
      f.field("max_duration", x.max_duration),
      f.field("conditions", x.conditions), f.field("since", x.since),
      f.field("until", x.until), f.field("cursor", x.cursor),
      f.field("limit", get_limit, set_limit), f.field("max_bytes", x.max_bytes),
      f.field("ascending", x.ascending), f.field("after", x.after));
}

template <class Inspector>
bool inspect(Inspector& f, event_page& x) {
  return f.object(x).fields(f.field("events", x.events),
                            f.field("next_cursor", x.next_cursor));
}

template <class Inspector>
bool inspect(Inspector& f, webhook& x) {
  return f.object(x).fields(
      f.field("platform", x.platform), f.field("method", x.method),
      f.field("query", x.query), f.field("headers", x.headers),
      f.field("body", x.body), f.field("remote_address", x.remote_address),
      f.field("received_at", x.received_at), f.field("proven", x.proven));
}

template <class Inspector>
bool inspect(Inspector& f, webhook_answer& x) {
  auto get_status = [&x] { return static_cast<int32_t>(x.status); };
  auto set_status = [&x](int32_t value) {
    x.status = value;
    return true;
  };
  return f.object(x).fields(f.field("status", get_status, set_status),
                            f.field("content_type", x.content_type),
                            f.field("headers", x.headers),
                            f.field("body", x.body));
}

template <class Inspector>
bool inspect(Inspector& f, failed_attempt& x) {
  return f.object(x).fields(f.field("at", x.at), f.field("error", x.error));
}

template <class Inspector>
bool inspect(Inspector& f, dead_letter& x) {
  return f.object(x).fields(
      f.field("id", x.id), f.field("created_at", x.created_at),
      f.field("origin", x.origin), f.field("reason", x.reason),
      f.field("attempts", x.attempts), f.field("history", x.history),
      f.field("event_id", x.event_id), f.field("event_seq", x.event_seq),
      f.field("platform", x.platform), f.field("event_type", x.event_type),
      f.field("body", x.body), f.field("body_bytes", x.body_bytes));
}

template <class Inspector>
bool inspect(Inspector& f, dead_letter_query& x) {
  return f.object(x).fields(
      f.field("id", x.id), f.field("origin", x.origin),
      f.field("platforms", x.platforms), f.field("event_types", x.event_types),
      f.field("event_id", x.event_id), f.field("since", x.since),
      f.field("until", x.until), f.field("before", x.before),
      f.field("limit", x.limit), f.field("bodies", x.bodies));
}

template <class Inspector>
bool inspect(Inspector& f, dead_letter_retry& x) {
  return f.object(x).fields(
      f.field("running", x.running), f.field("stopped", x.stopped),
      f.field("started", x.started), f.field("what", x.what),
      f.field("rate", x.rate), f.field("retried", x.retried),
      f.field("failed", x.failed), f.field("last_error", x.last_error));
}

template <class Inspector>
bool inspect(Inspector& f, spooled_event& x) {
  return f.object(x).fields(f.field("platform", x.platform),
                            f.field("event_id", x.event_id),
                            f.field("id", x.id));
}

template <class Inspector>
bool inspect(Inspector& f, spool_state& x) {
  return f.object(x).fields(f.field("events", x.events),
                            f.field("bytes", x.bytes), f.field("held", x.held));
}

template <class Inspector>
bool inspect(Inspector& f, join_answer& x) {
  return f.object(x).fields(
      f.field("accepted", x.accepted), f.field("oldest", x.oldest),
      f.field("recent", x.recent), f.field("recent_news", x.recent_news));
}

} // namespace eventweft

// CAF would write through these pointers; what they point to is immutable.
namespace caf {

template <>
struct inspector_access<eventweft::log_range_ptr>
    : inspector_access_base<eventweft::log_range_ptr> {
  template <class Inspector>
  static bool apply(Inspector& f, eventweft::log_range_ptr& x) {
    return eventweft::detail::inspect_pointee<eventweft::log_range>(
        f, x, [](eventweft::log_range&& r) {
          return std::make_shared<const eventweft::log_range>(std::move(r));
        });
  }
};

template <>
struct inspector_access<eventweft::webhook_ptr>
    : inspector_access_base<eventweft::webhook_ptr> {
  template <class Inspector>
  static bool apply(Inspector& f, eventweft::webhook_ptr& x) {
    return eventweft::detail::inspect_pointee<eventweft::webhook>(
        f, x, [](eventweft::webhook&& w) {
          return std::make_shared<const eventweft::webhook>(std::move(w));
        });
  }
};

} // namespace caf
