// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/processing.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

/// Handlers: what a user registers to have something done with events. Plain
/// classes; the engine in `actors/` runs them.
namespace eventweft::processing {

using std::chrono::milliseconds;

/// What a handler is told about the attempt, besides the event.
struct attempt_context {
  std::string processor;
  /// The same for every attempt at this event by this processor, also after a
  /// crash and for a retried dead letter.
  std::string idempotency_key;
  /// 1 is the first.
  uint32_t attempt = 1;
  uint32_t max_attempts = 1;
  /// What the attempt may take; past it, it has failed.
  milliseconds timeout{0};
  /// Asks to end: the time is up, the processor was removed, or the process
  /// stops. What comes back after that is ignored.
  std::stop_token stop;
};

/// Runs on a worker thread and may block. An exception is a failed attempt.
/// The event is valid for as long as it is held.
using blocking_handler =
    std::function<outcome(const event_ptr&, const attempt_context&)>;

/// Ends an attempt. May be called on any thread, also before the handler
/// returns; only the first call counts, and none after the time-out. Dropping
/// it uncalled leaves the attempt to its time-out.
using completion = std::function<void(outcome)>;

/// Starts something and returns at once; holds no worker while it goes on.
/// Runs on a thread of the engine's own; an exception is a failed attempt.
using async_handler =
    std::function<void(const event_ptr&, const attempt_context&, completion)>;

/// Which events of one processor must not overtake each other.
enum class ordering : uint8_t {
  none = 0,
  /// Those of one source (platform and `source_id`, else `source_name`).
  source = 1,
  /// Those of one thread (`correlation_id`); events without one are free.
  thread = 2,
};

std::string_view to_string(ordering o) noexcept;
std::optional<ordering> parse_ordering(std::string_view text) noexcept;

/// A named handler and how it is run. Copied freely.
struct processor {
  /// 1 … 100 of A-Z, a-z, 0-9, `_`, `.`, `-`. What it has done is kept under
  /// this name.
  std::string name;
  eventweft::filter filter;
  /// The lane of all its work; nothing: each event's own priority.
  std::optional<eventweft::priority> priority;
  /// After the first attempt.
  uint32_t max_retries = 3;
  /// Before the first retry; doubles with each further one.
  milliseconds retry_delay{1'000};
  milliseconds max_retry_delay{300'000};
  /// The longest wish of the handler's for a later retry that is honoured.
  milliseconds max_retry_after{24ll * 3'600'000};
  /// Each pause is up to this part longer or shorter. 0 … 1.
  double jitter = 0.1;
  milliseconds timeout{30'000};
  /// How much later than that the engine steps in: for handlers that keep the
  /// time by themselves.
  milliseconds grace{0};
  /// Attempts at once; 0: as many as there are workers (1,000 if it is
  /// asynchronous).
  uint32_t concurrency = 0;
  processing::ordering ordering = processing::ordering::none;
  /// A webhook's HTTP answer waits for what this handler replies, up to the
  /// platform's deadline.
  bool answers = false;
  /// Where a processor starts that the store does not know yet.
  start_point start;
  std::variant<blocking_handler, async_handler> handler;
  /// Its code is somebody else's and runs in this process.
  bool may_end_process = true;
  /// For people: "handler", "exec", "http".
  std::string kind = "handler";

  bool is_async() const noexcept {
    return std::holds_alternative<async_handler>(handler);
  }
};

/// What is kept of a failed attempt's reason, in bytes: it goes to the log, to
/// the history of attempts, to the status and to the dead letter.
inline constexpr size_t longest_error = 2'000;

/// Cuts a reason that is longer, after a whole character: a handler of
/// somebody else's may say anything.
void shorten_error(outcome& o);

/// The kind of `let_go_of`.
inline constexpr std::string_view gone_kind = "gone";

/// Takes the place of a processor that is not there any more: gives up what
/// that one had in hand, and wants no event beyond `head`, the log's end.
processor let_go_of(std::string name, seq_t head);

/// `conflict`: its name is taken by `there`, and for how long if that ends by
/// itself.
error name_taken(const processor& there);

/// `unprocessable`, naming the member, unless the processor can be run.
expected<void> check(const processor& p);

} // namespace eventweft::processing
