// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::delivery {

/// An event that a subscription is not done with.
struct unfinished {
  seq_t seq = 0;
  /// Made so far, all of them failed; or the last of them was begun when this
  /// was written.
  uint32_t attempts = 0;
  /// The next one; meaningless before the first. The start of time: the last
  /// one was begun, and nothing is known of its end.
  timestamp due{};
  /// When the subscription took the event up.
  timestamp since{};
  /// When it was asked to deliver once more what it was done with; the start
  /// of time: it was not.
  timestamp again{};
  /// Of the attempts, those that its owner wants to know of later.
  std::vector<failed_attempt> history{};
  /// Of an attempt that was begun and of whose end nothing is known: it was one
  /// of so many that were made by themselves. 0: others were made beside it.
  uint32_t company = 0;

  bool operator==(const unfinished&) const = default;
};

/// What is held against an endpoint; the start of time: nothing.
struct endpoint_health {
  /// Of the subscription that it was written for: another one may have another
  /// endpoint.
  int64_t version = 0;
  /// It wants to be left in peace until then.
  timestamp paused_until{};
  /// Its breaker lets a probe through then, and was to be open for so long.
  timestamp open_until{};
  std::chrono::microseconds open_for{0};

  bool operator==(const endpoint_health&) const = default;
};

/// How far a subscription is: done with everything up to `cursor` but for
/// what is in `open` (in seq order). Kept in the store; whoever starts from it
/// forgets nothing and repeats only what ended after it was written.
struct progress_mark {
  seq_t cursor = 0;
  std::vector<unfinished> open;
  endpoint_health endpoint{};
  /// Of each kind of event, as its owner tells them apart: done with up to
  /// here, too, where that is beyond the cursor. Empty: there are no kinds.
  std::vector<seq_t> floors{};

  bool operator==(const progress_mark&) const = default;
};

/// `{"cursor":12,"open":[[seq,attempts,due,since],…]}`, times in microseconds
/// since 1970; `again` follows where there is one. Then, where there is such,
/// `"failed":[[seq,at,error,at,error,…],…]`, `"company":[[seq,company],…]` and
/// `"floors":[seq,…]`, and, where something is held against the endpoint,
/// `"endpoint":[version,paused_until,open_until,open_for]`. Errors are cut to
/// 300 bytes, and all histories together to about 256 KiB: what is beyond
/// belongs to the latest events and is left out.
std::string mark_json(const progress_mark& mark);
/// `corrupt` for anything that `mark_json` does not write.
expected<progress_mark> parse_mark(std::string_view text);

/// Moves a mark. Bounded: when it is full its owner stops reading the log.
class progress {
 public:
  progress(progress_mark from, size_t max_open);

  /// The last seq that was taken up or passed over; read on after it.
  seq_t cursor() const noexcept { return cursor_; }
  bool full() const noexcept { return open_.size() >= max_open_; }

  /// Takes up an event beyond the cursor. False if it is full, not beyond, or
  /// open already.
  bool take_up(seq_t seq, timestamp now);
  /// Takes up once more an event that was done with. False if it is full, the
  /// event is open, or beyond the cursor.
  bool reopen(seq_t seq, timestamp now);
  /// Everything up to `seq` that was not taken up is none of ours.
  void pass_over(seq_t seq) noexcept;
  /// What is open counts as taken up now.
  void renew(timestamp now) noexcept {
    for (auto& [seq, u] : open_)
      u.since = now;
  }
  /// The same for what could have been tried by now.
  void renew_due(timestamp now) noexcept {
    for (auto& [seq, u] : open_)
      if (u.attempts == 0 || u.due <= now)
        u.since = now;
  }
  /// Whoever wrote this down may have had a clock that is ahead of `now`'s:
  /// nothing waits from now on for longer than the pause it was given, or,
  /// where that is not known, than `longest`.
  void bring_near(timestamp now, std::chrono::microseconds longest) noexcept;
  void finish(seq_t seq) { open_.erase(seq); }

  /// Null if it is not open. Valid until it is finished.
  unfinished* find(seq_t seq) noexcept;
  /// By seq.
  const std::map<seq_t, unfinished>& open() const noexcept { return open_; }

  progress_mark mark() const;

 private:
  seq_t cursor_;
  size_t max_open_;
  std::map<seq_t, unfinished> open_;
};

} // namespace eventweft::delivery
