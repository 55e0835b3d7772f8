// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "delivery/breaker.hpp"
#include "delivery/lanes.hpp"
#include "delivery/progress.hpp"
#include "delivery/rate_limit.hpp"
#include "delivery/schedule.hpp"
#include "delivery/verdict.hpp"
#include "messages/event.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace eventweft::delivery {

struct queue_options {
  /// Requests under way at once; half of them, at least one, may be retries.
  size_t max_concurrent = 8;
  /// One at a time in seq order; one that fails holds up all behind it until
  /// it is delivered or given up.
  bool ordered = false;
  /// Most attempts in any second; 0: no limit.
  double rate_per_second = 0;
  /// Events that are taken up and not done with; beyond, the log is not read
  /// on.
  size_t max_unfinished = 1'000;
  retry_schedule schedule;
  breaker_options breaker;
  /// How long an endpoint that says it has too much to do is left in peace if
  /// it doesn't say how long; doubles while it goes on saying so.
  microseconds throttle_min = std::chrono::seconds{5};
  microseconds throttle_max = std::chrono::minutes{5};
};

/// What is to be sent now.
struct attempt {
  seq_t seq = 0;
  /// 1 is the first.
  uint32_t number = 1;

  bool operator==(const attempt&) const = default;
};

/// What becomes of an event after an attempt.
struct decision {
  enum class kind : uint8_t {
    /// It is there.
    done,
    /// It will be tried again at `due`.
    retry,
    /// It never left; it will be tried at `due`, as if nothing had happened.
    put_back,
    /// The last attempt failed: to the dead letters.
    give_up,
    /// The endpoint wants nothing any more; the event stays, in case it is
    /// enabled again.
    disabled,
  };
  kind what = kind::done;
  timestamp due{};
  /// Made so far.
  uint32_t attempts = 0;

  bool operator==(const decision&) const = default;
};

/// Everything that decides about one endpoint: what is sent next, what is
/// tried again and when, what is given up. Holds no events, sends nothing;
/// its owner asks `take` whenever something changed and at `wake_at`, and
/// stores `mark` together with what `finish` decided. Of one thread.
class delivery_queue {
 public:
  /// Takes up what is left at `now`, by a clock that need not be the one that
  /// `from` was written by. `random` outlives it.
  delivery_queue(queue_options options, progress_mark from, timestamp now,
                 random_source& random);

  // -- from the log ----------------------------------------------------------

  /// Where to read on.
  seq_t cursor() const noexcept { return progress_.cursor(); }
  /// False: stop reading until something is done with.
  bool has_room() const noexcept { return !progress_.full(); }
  /// An event that the subscription wants. False if there is no room, or it
  /// was seen already.
  bool accept(seq_t seq, timestamp now);
  /// One that was done with is to be delivered once more. False if there is no
  /// room, it is not done with, or the log was not read that far.
  bool accept_again(seq_t seq, timestamp now);
  /// Everything up to `seq` that was not accepted does not match.
  void pass_over(seq_t seq) noexcept { progress_.pass_over(seq); }

  // -- to the wire -----------------------------------------------------------

  /// What to send now; it is under way from here on.
  std::vector<attempt> take(timestamp now);
  /// How one that `take` gave ended. `put_back` without effect for any other.
  decision finish(seq_t seq, const verdict& v, timestamp now);
  /// It can't be delivered for reasons that are not the endpoint's: the queue
  /// is done with it.
  void forget(seq_t seq);
  /// What is due, can't be tried because the endpoint is down or wants to be
  /// left in peace, and has been waiting for longer than the schedule's
  /// `max_age`: to the dead letters. In ordered mode only the head can be
  /// overdue.
  std::vector<unfinished> give_up_overdue(timestamp now);
  /// When `take` or `give_up_overdue` could have something, if no attempt ends
  /// and no event comes before that.
  std::optional<timestamp> wake_at(timestamp now) const;

  // -- from people -----------------------------------------------------------

  /// Order, requests at once and rate are `wanted`'s from now on. What is under
  /// way goes on and counts: in order, nothing starts before it has ended.
  void limit(const queue_options& wanted);
  /// Nothing is sent while disabled; what is under way goes on.
  void disable() noexcept { disabled_ = true; }
  /// Also forgets what was held against the endpoint.
  void enable() noexcept;
  /// Nothing has waited for longer than since `now`.
  void renew(timestamp now) noexcept { progress_.renew(now); }
  /// The time in which nobody could have tried it does not count.
  void renew_due(timestamp now) noexcept { progress_.renew_due(now); }
  bool is_disabled() const noexcept { return disabled_; }

  // -- to be told ------------------------------------------------------------

  /// What is held against the endpoint has no version: that is the owner's.
  progress_mark mark() const;
  /// Null if it is not open.
  const unfinished* find(seq_t seq) noexcept { return progress_.find(seq); }
  /// Of what is open the first one by seq; null if nothing is.
  const unfinished* oldest() const noexcept { return head(); }
  breaker::state breaker_state(timestamp now) const noexcept {
    return breaker_.at(now);
  }
  size_t under_way() const noexcept { return flights_.size(); }
  size_t waiting() const noexcept {
    return progress_.open().size() - flights_.size();
  }

 private:
  struct flight {
    bool retry;
    bool probe;
  };

  bool may_start(timestamp now) const noexcept;
  /// The endpoint is down, or wants to be left in peace.
  bool is_away(timestamp now) const noexcept;
  timestamp overdue_at(const unfinished& u) const noexcept;
  bool retries_allowed() const noexcept;
  std::optional<lanes::turn> next_turn(timestamp now);
  /// From what is open.
  void fill_lanes();
  const unfinished* head() const noexcept;
  void wait_again(const unfinished& u);
  void note_health(const verdict& v, bool probe, timestamp now);
  decision try_again(unfinished& u, const verdict& v, timestamp now);

  queue_options options_;
  random_source& random_;
  progress progress_;
  lanes lanes_;
  breaker breaker_;
  rate_limit rate_;
  std::map<seq_t, flight> flights_;
  size_t retries_under_way_ = 0;
  timestamp paused_until_{};
  microseconds next_throttle_;
  bool disabled_ = false;
};

} // namespace eventweft::delivery
