// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_key.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

/// A place in the log. The first event has 1; 0 is "before the first".
using seq_t = int64_t;

/// Append only: the numbers are stored and travel between nodes.
enum class priority : uint8_t { low = 0, normal = 1, high = 2, critical = 3 };

/// "low", "normal", "high", "critical".
std::string_view to_string(priority p) noexcept;
std::optional<priority> parse_priority(std::string_view text) noexcept;

/// Immutable bytes that many hold and nobody copies. Never null: the default
/// is the empty text. Thread-safe like `shared_ptr<const std::string>`.
class shared_text {
 public:
  shared_text() = default;
  explicit shared_text(std::string text)
      : text_(std::make_shared<const std::string>(std::move(text))) {}

  std::string_view view() const noexcept {
    return text_ ? std::string_view{*text_} : std::string_view{};
  }
  size_t size() const noexcept { return text_ ? text_->size() : 0; }
  bool empty() const noexcept { return size() == 0; }

  bool operator==(const shared_text& other) const noexcept {
    return view() == other.view();
  }

 private:
  std::shared_ptr<const std::string> text_;
};

/// What goes into a platform's detail table: empty, or a JSON object whose
/// keys are columns of that table (`schemas/postgres/0002_details.sql`); keys
/// that are missing or null become NULL, lists become arrays. Filled by the
/// platform that reads the webhook, written with the event and kept by the
/// spool; not part of the wire format, and not read back from the store.
struct event_details {
  /// `github_events`: {"event":"pull_request","action":"opened",
  /// "repository_id":1,"repository_name":"octo/repo","pr_number":2,
  /// "labels":["bug"],…}
  std::string github;
  /// `linear_events`: {"type":"Issue","action":"create","team_key":"ENG",…}
  std::string linear;
  /// `slack_events`: {"type":"message","channel_id":"C1","text":"…",…}
  std::string slack;
  /// `deployment_events`: {"deployment_id":"7","environment":"production",…};
  /// also filled for GitHub's `deployment` and `deployment_status`.
  std::string deployment;

  bool empty() const noexcept {
    return github.empty() && linear.empty() && slack.empty() &&
           deployment.empty();
  }

  bool operator==(const event_details&) const = default;
};

/// One immutable thing that happened on a platform. The member names are
/// those of the wire format and of the columns in `events`.
struct event {
  /// Ours: a UUIDv7, given when the event comes in.
  uuid id;
  /// Given at commit; 0 before that.
  seq_t seq = 0;
  /// The platform's own delivery id, unique with `platform`. Not empty.
  std::string event_id;
  /// "github", "slack", …; [a-z0-9_-], not empty.
  std::string platform;
  /// "pull_request:opened"; not empty.
  std::string event_type;
  /// What it happened to: a repository, a team, a channel. May be empty.
  std::string source_id;
  std::string source_name;
  /// Who did it. May be empty.
  std::string actor_id;
  std::string actor_name;
  eventweft::priority priority = eventweft::priority::normal;
  /// The thread it belongs to, if one was found.
  std::optional<uuid> correlation_id;
  std::optional<uuid> parent_event_id;
  /// A JSON object's text.
  std::string metadata = "{}";
  /// When this hub took it in.
  timestamp created_at{};
  /// When the last processor that wanted it was done.
  std::optional<timestamp> processed_at;
  /// Seconds that processing took.
  std::optional<double> processing_duration;
  /// A JSON text, byte for byte as it was sent.
  shared_text payload;
  /// Empty, or the payload with U+FFFD in place of `\u0000` and of lone
  /// surrogates, and near numbers in place of those out of reach: what SQL
  /// engines can read where they could not read `payload`.
  shared_text payload_readable;
  /// See there.
  event_details details;
  /// What correlation read out of it, on the way to the log: not part of the
  /// wire format nor of its row (see correlation/engine.hpp).
  std::vector<correlation_key> keys;

  /// What the store's JSON column holds.
  const shared_text& stored_payload() const noexcept {
    return payload_readable.empty() ? payload : payload_readable;
  }

  /// A copy without what only the store gets: no details, no keys.
  event for_readers() const;

  /// What it costs to keep this event in memory, in bytes, roughly.
  size_t footprint() const noexcept;

  bool operator==(const event&) const = default;
};

/// The formats that streams and webhooks carry.
enum class wire_format : uint8_t { native = 0, cloudevents = 1 };
inline constexpr size_t wire_format_count = 2;

/// A shared, immutable event together with its wire texts, each rendered at
/// most once however many readers there are (see `codec/event_json.hpp`).
/// Null by default; everything but a test of that is undefined then.
/// Thread-safe like `shared_ptr<const event>`.
class event_ptr {
 public:
  struct wire_slot {
    std::once_flag once;
    std::string text;
  };

  event_ptr() = default;
  explicit event_ptr(event e)
      : record_(std::make_shared<const record>(std::move(e))) {}

  const event& operator*() const noexcept { return record_->value; }
  const event* operator->() const noexcept { return &record_->value; }
  explicit operator bool() const noexcept { return record_ != nullptr; }

  /// Where the text in `format` is kept once rendered.
  wire_slot& slot(wire_format format) const noexcept {
    return record_->slots[static_cast<size_t>(format)];
  }

  /// Equal contents.
  friend bool operator==(const event_ptr& a, const event_ptr& b) {
    return a.record_ == b.record_ || (a && b && *a == *b);
  }

 private:
  struct record {
    explicit record(event e) : value(std::move(e)) {}
    event value;
    mutable std::array<wire_slot, wire_format_count> slots;
  };

  std::shared_ptr<const record> record_;
};

/// A stored event that got its thread, or the event that caused it, only when
/// a later one came.
struct late_link {
  uuid event;
  std::optional<uuid> thread{};
  std::optional<uuid> parent{};

  bool operator==(const late_link&) const = default;
};

/// What a batch changed of the threads that were there before it, but for
/// merges, which are events.
struct thread_news {
  std::vector<late_link> links{};
  /// Ids that senders gave to threads which have another one: such an id, and
  /// the thread that it leads to.
  std::vector<std::pair<uuid, uuid>> names{};

  bool empty() const noexcept { return links.empty() && names.empty(); }

  bool operator==(const thread_news&) const = default;
};

/// A contiguous piece of the log: all events with first ≤ seq ≤ last that the
/// holder wants to see; those that a filter took out are counted by the range.
struct log_range {
  seq_t first = 0;
  seq_t last = 0;
  std::vector<event_ptr> events;
  /// Only where a writer tells of what it has just appended.
  thread_news news{};
};

using log_range_ptr = std::shared_ptr<const log_range>;

/// What became of one event that was handed to the log.
struct append_outcome {
  /// The stored event's id; for a duplicate the id of the first one.
  uuid id;
  /// 0 while it waits in the spool.
  seq_t seq = 0;
  bool duplicate = false;
  /// Durable in the spool, not yet in the log.
  bool spooled = false;

  bool operator==(const append_outcome&) const = default;
};

} // namespace eventweft
