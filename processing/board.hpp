// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/processing.hpp"
#include "processing/dispatcher.hpp"
#include "processing/registry.hpp"
#include "processing/turns.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft::processing {

using std::chrono::microseconds;

struct board_options {
  /// Events that one processor may have taken up and not be done with.
  size_t max_unfinished = 1'000;
  /// What `concurrency = 0` stands for, of handlers that hold a worker and of
  /// those that do not.
  uint32_t workers = 4;
  uint32_t async_at_once = 1'000;
  /// What is unfinished for longer than this is told to the store; what is
  /// done sooner is written once, when it is done.
  microseconds tell_after = std::chrono::seconds{1};
  /// What was cut off together is tried again in about so many groups.
  size_t groups = 8;
};

/// The error of an attempt that was cut off.
inline constexpr std::string_view cut_off_text =
    "cut off: the process ended while it was under way";

/// An attempt that is to be made now.
struct job {
  /// Names the attempt; never given twice.
  uint64_t id = 0;
  registered_ptr processor;
  event_ptr event;
  uint32_t attempt = 1;
  /// Not to be run: it was cut off too often, and is to be finished as given
  /// up.
  bool spent = false;
  eventweft::priority lane = eventweft::priority::normal;
  /// From the moment it could have run.
  microseconds waited{0};
  timestamp deadline{};
};

/// What became of an attempt.
struct decision {
  enum class kind : uint8_t {
    /// Nobody knows this attempt any more: it was too late.
    ignored,
    done,
    retry,
    /// To the dead letters.
    give_up,
  };
  kind what = kind::ignored;
  registered_ptr processor;
  event_ptr event;
  uint32_t attempts = 0;
  microseconds took{0};
  /// When it is tried again.
  timestamp due{};
  std::vector<failed_attempt> history;
};

/// How one processor is doing.
struct work_state {
  size_t ready = 0;
  size_t running = 0;
  /// Until they are tried again.
  size_t waiting = 0;
  /// Everything up to here was read, by the feed that is furthest behind.
  seq_t cursor = 0;
};

/// Everything that decides about processors: which event is handed to which
/// handler next, what is tried again and when, what is given up. Runs nothing
/// and stores nothing. Of one thread.
///
/// A handler may end the whole process, which leaves nobody to count the
/// attempt. So what may have been in hand at such an end is *announced*: that
/// its attempt begins is written before it does. What was announced and never
/// ended was cut off. It runs again in a *group*, with nothing beside it that
/// may end the process, so that the next end tells which group it was; that one
/// is divided again, until the one event is left, which runs alone. Between two
/// groups all else has its turn, for as long as the group took. The event is
/// given up after as many attempts as any other, though never before it has run
/// alone.
class board {
 public:
  /// `random` outlives it.
  board(board_options options, random_source& random);
  ~board();
  board(const board&) = delete;
  board& operator=(const board&) = delete;

  // -- processors ------------------------------------------------------------

  /// Begins where `from` says; where it has no mark, at `start`. `corrupt` if
  /// a mark can't be read. The processor is not there yet. Where there are
  /// marks, attempts on what came before `now` are announced, as many events as
  /// may have been in hand, if its handler may end the process.
  expected<void> add(registered_ptr p, const std::vector<stored_mark>& from,
                     seq_t start, timestamp now);
  /// Forgets the processor; its attempts end as `ignored`. Their ids.
  std::vector<uint64_t> remove(std::string_view name);
  bool has(std::string_view name) const;

  // -- from the log ----------------------------------------------------------

  /// Where the feed reads on; `processing/feeds.hpp` says which feeds there are
  /// and which events they let through.
  seq_t cursor(std::string_view name, size_t feed) const;
  /// How many more events the feed may bring now; 0: not now.
  size_t room(std::string_view name, size_t feed) const;
  /// What the feed read next: events that match the processor's filter.
  void take_up(std::string_view name, size_t feed, const log_range& range,
               timestamp now);
  /// What was unfinished when the marks were written and is still to be
  /// fetched from the log, in order.
  std::vector<seq_t> missing(std::string_view name) const;
  /// The event with that seq, or null if there is none any more. True if its
  /// last attempt was cut off.
  bool fetched(std::string_view name, seq_t seq, event_ptr ev, timestamp now);
  /// Hands the processor an event that it was done with (a dead letter). False
  /// if it has it in hand already, or it is still to come from the log.
  /// `overloaded` if the log is not read as far as that and will not bring it.
  expected<bool> again(std::string_view name, event_ptr ev, timestamp now);

  // -- to the handlers -------------------------------------------------------

  /// Nothing of the `lanes` lowest lanes is started until told otherwise; 0
  /// lets go of all. How many were held before.
  size_t hold(size_t lanes);

  /// What is to run now; it is running from here on. `async` asks for those
  /// that hold no worker, else for the others.
  std::optional<job> take(bool async, timestamp now);
  decision finish(uint64_t job_id, const outcome& o, timestamp now);
  /// The attempts whose time is up; to be finished as failed.
  std::vector<uint64_t> expired(timestamp now) const;
  /// When an attempt expires or a retry is due.
  std::optional<timestamp> wake_at() const;

  // -- to the store ----------------------------------------------------------

  /// What is to be written for the processor by now. To be written before the
  /// next call for it, or else lost with the process.
  changes collect(std::string_view name, timestamp now);
  /// Has the marks written even if nothing changed: retention forgets
  /// processors that nobody has heard of for a week.
  void touch(std::string_view name);
  /// Whether `collect` has something that is done, has failed, or is not to
  /// wait for other reasons.
  bool has_news(std::string_view name) const;
  /// Whether attempts wait for `collect` to announce them.
  bool is_announcing(std::string_view name) const;
  /// False: no processor's do.
  bool may_announce() const noexcept { return announcing_ > 0; }
  /// What was collected last is written: what it announces may run.
  void written(std::string_view name);
  /// The process will end in order, or the work moves: what runs by now is cut
  /// off by us, and the event had no part in it.
  void let_go(std::string_view name, timestamp now);
  size_t news() const noexcept { return news_; }

  // -- to be told ------------------------------------------------------------

  /// Whether the processor has the event in hand, or wants it and has not read
  /// it yet.
  bool owes(std::string_view name, const event& ev) const;
  work_state state_of(std::string_view name) const;
  std::array<size_t, lane_count> lanes() const noexcept {
    return dispatcher_.depth();
  }

 private:
  struct item;
  struct work;
  struct flight {
    work* owner;
    seq_t seq;
  };

  work* find(std::string_view name) const;
  size_t share_of(const work& w) const;
  item& put(work& w, size_t feed_index, event_ptr ev, uint32_t attempts,
            timestamp due, timestamp now);
  void enter(work& w, item& i, timestamp now);
  void come_forward(work& w, item& i, timestamp now);
  void retry_later(work& w, const item& i);
  void make_ready(work& w, item& i, timestamp now);
  void wake_retries(timestamp now);
  void settle(work& w, item& i, timestamp now);
  status_row row_of(const item& i) const;
  job begin(work& w, item& i, timestamp now);

  // -- what was cut off (board_cut_off.cpp) ----------------------------------

  void note_cut_off(const work& w, item& i, timestamp now) const;
  void announce(work& w, item& i, uint32_t company);
  std::optional<job> take_spent(timestamp now);
  std::optional<job> take_announced(bool async, timestamp now);
  /// Nothing else that may end the process runs while a group does, or waits
  /// for its turn.
  void call_group(timestamp now);
  bool others_turn(timestamp now);
  std::vector<std::pair<work*, seq_t>> next_group();
  void leave_group(item& i, timestamp now);
  void forget_cut_off(const work& w);

  board_options options_;
  random_source& random_;
  std::map<std::string, std::unique_ptr<work>, std::less<>> works_;
  dispatcher dispatcher_;
  std::unordered_map<uint64_t, flight> flights_;
  std::set<std::pair<timestamp, uint64_t>> deadlines_;
  std::set<std::tuple<timestamp, work*, seq_t>> retries_;
  /// To be given up; they need nobody's turn.
  std::deque<std::pair<work*, seq_t>> spent_;
  /// Begun by what is written, and may run.
  std::deque<std::pair<work*, seq_t>> announced_;
  /// Cut off, until they have ended; those of the group that has its turn, too.
  std::deque<std::pair<work*, seq_t>> suspects_;
  /// Of these the first ones, at their most.
  size_t most_suspects_ = 0;
  /// How many of the group have not ended.
  size_t in_group_ = 0;
  timestamp group_began_{};
  /// All else has its turn until then.
  timestamp others_until_{};
  /// Attempts that may end the process.
  size_t risky_ = 0;
  /// Picked to be announced, and not running yet.
  size_t announcing_ = 0;
  uint64_t last_job_;
  size_t news_ = 0;
};

} // namespace eventweft::processing
