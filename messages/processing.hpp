// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/fence.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What handlers make of events, as plain data.
namespace eventweft::processing {

/// What an answering handler wants the webhook's sender to get.
struct reply {
  /// An HTTP status; a final one.
  int status = 200;
  std::string content_type = "application/json";
  std::string body;

  bool operator==(const reply&) const = default;
};

/// Why this can't be an HTTP answer: its status is not from 200 to 599, or its
/// content type would break a header line.
std::optional<std::string> objection_to(const reply& r);

/// How one attempt ended.
struct outcome {
  enum class kind : uint8_t {
    done,
    /// Tried again, as the processor's policy says.
    failed,
    /// Trying again is of no use: to the dead letters at once.
    give_up,
  };
  kind what = kind::done;
  /// For people; what went wrong.
  std::string error;
  /// For the sender, if the processor is one that answers.
  std::optional<reply> answer;
  /// Not before this long from now.
  std::optional<std::chrono::milliseconds> retry_after;
  /// It failed because its time was up.
  bool timed_out = false;
  /// What people should know although it is done; empty: nothing.
  std::string remark;

  static outcome done() { return {}; }
  static outcome done(reply r) {
    outcome out;
    out.answer = std::move(r);
    return out;
  }
  static outcome failed(std::string why) {
    outcome out;
    out.what = kind::failed;
    out.error = std::move(why);
    return out;
  }
  static outcome late(std::string why) {
    auto out = failed(std::move(why));
    out.timed_out = true;
    return out;
  }
  static outcome give_up(std::string why) {
    outcome out;
    out.what = kind::give_up;
    out.error = std::move(why);
    return out;
  }
};

/// How far a processor is with an event. Append only: the names are stored.
enum class status : uint8_t {
  pending = 0,
  processing = 1,
  retrying = 2,
  completed = 3,
  /// Given up.
  failed = 4,
};

/// "pending", …
std::string_view to_string(status s) noexcept;
std::optional<status> parse_status(std::string_view text) noexcept;

/// A row of `event_processing_status`.
struct status_row {
  event_ptr event;
  processing::status status = processing::status::pending;
  uint32_t attempts = 0;
  /// What the last failed attempt said.
  std::string error;
  std::optional<timestamp> started_at;
  std::optional<timestamp> completed_at;
  /// Seconds the last attempt took.
  std::optional<double> duration;
  /// Nobody of this node has anything left to do with the event.
  bool settled = false;
  /// Those that want it too and are not this node's: what they have written
  /// says whether they are done with it.
  std::vector<std::string> others;
};

/// How far a processor is, as it is kept: one text for each of the feeds in
/// which it reads the log.
struct stored_mark {
  /// "all", or the one priority that is read.
  std::string feed;
  /// Everything up to here was read; retention keeps what follows.
  seq_t cursor = 0;
  /// What `delivery::mark_json` writes.
  std::string mark;

  bool operator==(const stored_mark&) const = default;
};

/// Marks with the names of their processors.
using named_marks = std::vector<std::pair<std::string, stored_mark>>;

/// What is to be written for one processor, in one transaction.
struct changes {
  /// At most one an event.
  std::vector<status_row> rows;
  std::vector<stored_mark> marks;

  bool empty() const noexcept { return rows.empty() && marks.empty(); }
};

/// What the journal of processors is asked to write.
struct write_request {
  std::string processor;
  fence owner;
  processing::changes changes;
};
using write_ptr = std::shared_ptr<const write_request>;

/// How one processor is doing, for people.
struct processor_state {
  std::string name;
  /// "exec", "http", "handler".
  std::string kind;
  /// "running", "starting", "elsewhere" (another node's), "failed", "gone" (not
  /// there any more, with so many events left as are `ready`).
  std::string state;
  /// What failed.
  std::string detail;
  /// Of "elsewhere": the node that knows the rest; empty if none is known.
  std::string owner{};
  uint64_t ready = 0;
  uint64_t running = 0;
  uint64_t waiting = 0;
  uint64_t completed = 0;
  uint64_t retried = 0;
  uint64_t failed = 0;
  uint64_t timed_out = 0;
  /// Everything up to here was read.
  seq_t cursor = 0;

  bool operator==(const processor_state&) const = default;
};

/// What stays the same whenever that processor is handed that event: what
/// handlers recognise a repeat by. `<event id>:<processor>`.
std::string idempotency_key(const uuid& event_id, std::string_view processor);

} // namespace eventweft::processing
