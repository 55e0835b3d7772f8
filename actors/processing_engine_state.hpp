// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/awaited_answers.hpp"
#include "actors/log_follower.hpp"
#include "actors/processing_engine.hpp"
#include "messages/backoff.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

namespace eventweft {

/// The engine's inside; only its own sources include this.
class processing_engine_state {
 public:
  static inline constexpr const char* name = "processing_engine";

  processing_engine_state(processing_engine_actor::pointer self,
                          actor_context ctx, processing_engine_options options);
  ~processing_engine_state();

  processing_engine_actor::behavior_type make_behavior();

 private:
  using board = processing::board;
  using decision = processing::decision;
  using job = processing::job;
  using outcome = processing::outcome;

  struct processor_totals {
    uint64_t completed = 0;
    uint64_t retried = 0;
    uint64_t failed = 0;
    uint64_t timed_out = 0;
  };

  /// What a node owns that runs the processor.
  static std::string work_of(const std::string& processor) {
    return "processor:" + processor;
  }

  /// One processor as the engine knows it.
  struct entry {
    enum class phase : uint8_t { elsewhere, starting, running, broken };

    processing::registered_ptr what;
    phase at = phase::elsewhere;
    std::string detail;
    /// Tells answers to this start from those to an earlier one.
    uint64_t epoch = 0;
    fence owner;
    std::vector<uint64_t> feeds;
    backoff pauses;
    /// What is being written, or is to be written again.
    processing::write_ptr writing;
    bool under_way = false;
    /// Its first write is not done: it reads nothing yet.
    bool begun = false;
    timestamp written{};
    timestamp touched{};
    /// Dead letters that are not stored yet: until then nothing is written that
    /// says that their events are done with.
    size_t letters = 0;
    /// Told after the next write that begins from now on, and after the one
    /// under way.
    std::vector<caf::typed_response_promise<void>> after_next;
    std::vector<caf::typed_response_promise<void>> after_this;
    processor_totals totals;

    std::string work() const { return work_of(what->what.name); }
  };

  struct feed {
    std::string processor;
    size_t index = 0;
    std::unique_ptr<log_follower> source;
    bool asked = false;
  };

  using phase = entry::phase;

  timestamp now() const { return ctx_.time->now(); }

  // -- which processors there are (processing_engine_lifecycle.cpp) ----------

  void sync();
  void look_later();
  /// True if the processor is this node's.
  bool check_owner(entry& e);
  void start(entry& e);
  void start_later(entry& e, const error& why);
  entry* current(const std::string& n, uint64_t epoch);
  void find_start(entry& e, std::vector<processing::stored_mark> marks);
  void begin(entry& e, const std::vector<processing::stored_mark>& marks,
             seq_t start);
  /// What was in hand when the last process ended, page by page.
  void fetch_missing(entry& e);
  void fetch_later(entry& e);
  void fetched(entry& e, seq_t first, const log_range& range);
  void follow(entry& e);
  void stop_feeds(entry& e);
  /// How many of them had been started and were not over.
  size_t abandon(const std::vector<uint64_t>& jobs);
  /// Forgets what the processor has in hand and ends what of it runs, which is
  /// logged: "under way `when` and were cut off; `then`".
  void cut_off(const entry& e, const char* when, const char* then);
  /// Somebody else has it, or will: nothing more is written.
  void drop(entry& e);
  /// Those that are in the store with work left, and nowhere else.
  void look_for_gone();
  void note_gone(const std::vector<processing::processor_state>& known);
  bool is_gone(const processing::processor_state& x) const;
  caf::result<uint64_t> let_go(const std::string& n);
  void let_go(const processing::processor_state& x,
              caf::typed_response_promise<uint64_t> promise);
  /// Whoever takes the place of one that is gone goes when it is done.
  void end_let_go(const entry& e);
  void leave_to_others(const entry& e);
  /// It was removed: what it has done is written, what it has in hand stays.
  void retire(entry& e);
  /// What was removed may be another node's from now on.
  void give_back(const std::string& n);

  // -- from the log ----------------------------------------------------------

  void want(feed& f);
  void want_more(entry& e);
  void take_up(uint64_t number, const log_range_ptr& range);
  /// What the processor's feeds found nothing in counts as read.
  void note_seen(const entry& e);

  // -- to the handlers (processing_engine_handlers.cpp) ----------------------

  void pump();
  bool start_next(bool async);
  static processing::attempt_context context_of(const job& j,
                                                std::stop_token stop);
  static void tell_end(const std::shared_ptr<directory>& peers, uint64_t id,
                       outcome o);
  static outcome thrown();
  void start_blocking(job j);
  void start_async(job j);
  void ended(uint64_t id, const outcome& o);
  void settle(const decision& d, const outcome& o);
  void give_up(entry& e, const decision& d, const outcome& o);
  void store_letter(const std::string& n, uint64_t epoch, dead_letter letter);

  // -- time (processing_engine_handlers.cpp) ---------------------------------

  void arm_wake();
  void expire();
  void publish();

  // -- to the store (processing_engine_journal.cpp) --------------------------

  void arm_writes();
  /// The more there is to be written, the fewer lanes go on: what is urgent
  /// does not wait for the records of what is not.
  void hold_lanes(size_t unwritten);
  /// Whether there is or may be more to write.
  bool write(entry& e);
  /// Who else wants the events that the rows are done with.
  void note_settled(const std::string& n,
                    std::vector<processing::status_row>& rows) const;
  void send(entry& e);
  /// What is done and not written yet, while the fence may still hold.
  void write_last(entry& e);
  void written(entry& e);
  void not_written(entry& e, const error& why);

  // -- answers (processing_engine_handlers.cpp) ------------------------------

  caf::result<processing::reply> await(const event_ptr& ev);
  /// Nothing if it has none, or one that is logged as no answer.
  std::optional<processing::reply> usable_reply(const decision& d,
                                                const outcome& o);
  /// To the webhook's sender, whichever node that waits at.
  void say(const uuid& id, const std::optional<processing::reply>& r);

  // -- from people -----------------------------------------------------------

  caf::result<void> again(const dead_letter& x);
  std::vector<processing::processor_state> states();

  // -- the end ---------------------------------------------------------------

  /// Waits so long for what runs.
  caf::result<void> flush(std::chrono::milliseconds patience);
  void note_cut_off() const;
  void wait_for_running();
  std::vector<uint64_t> running() const;
  void last_writes();
  void end_flush();

  processing_engine_actor::pointer self_;
  actor_context ctx_;
  processing_engine_options options_;
  board board_;
  std::shared_ptr<void> registry_guard_;
  std::shared_ptr<void> owner_guard_;
  std::map<std::string, entry> entries_;
  /// What is known of those that are not there any more.
  std::map<std::string, processing::processor_state> gone_;
  /// Of which the log has been told.
  std::set<std::string> told_gone_;
  std::unordered_map<uint64_t, feed> feeds_;
  std::set<uint64_t> blocking_;
  std::unordered_map<uint64_t, std::stop_source> async_stops_;
  awaited_answers awaited_;
  uint64_t last_epoch_ = 0;
  uint64_t last_feed_ = 0;
  /// When the timer that is set goes off.
  std::optional<timestamp> armed_;
  bool looked_for_gone_ = false;
  bool writes_armed_ = false;
  bool stopping_ = false;
  bool writing_last_ = false;
  timestamp stop_by_{};
  std::vector<caf::typed_response_promise<void>> flushed_;
};

} // namespace eventweft
