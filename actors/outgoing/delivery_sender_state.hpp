// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/log_follower.hpp"
#include "actors/outgoing/delivery_sender.hpp"
#include "actors/outgoing/sender_parts.hpp"
#include "codec/filter.hpp"
#include "codec/subscription_rows.hpp"
#include "messages/backoff.hpp"
#include "telemetry/behind.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventweft {

/// The sender's inside; only its own sources include this.
class delivery_sender_state {
 public:
  static inline constexpr const char* name = "delivery_sender";

  delivery_sender_state(delivery_sender_actor::pointer self, actor_context ctx,
                        delivery_tools tools, delivery_sender_options options,
                        delivery_order order);
  ~delivery_sender_state();

  delivery_sender_actor::behavior_type make_behavior();

 private:
  using milliseconds = std::chrono::milliseconds;

  static constexpr milliseconds lookup_again{5'000};

  struct lost_event {
    uint32_t attempts;
    std::string reason;
    /// The dead letter's: it is the same one however often it is given away.
    uuid letter;
    timestamp at;
    /// Where it was given up without an attempt: the row that says so.
    std::optional<uuid> row;
    bool under_way = false;
  };

  // -- whether to work -------------------------------------------------------

  void prepare();
  /// Starts or stops, as ownership has it.
  void look();
  /// Forgets everything that the store has; what is under way ends unheard.
  void stop_work(const char* state);
  void load();
  void load_later();
  void begin(const subscription_record& r);
  void start_queue(delivery::progress_mark from);
  /// From where the queue is, if anything is to be delivered at all.
  void follow();
  void change(delivery_order order);

  // -- from the log ----------------------------------------------------------

  void take_page(const log_range_ptr& range);
  /// As much of the piece at hand as there is room for, then asks for more.
  void accept_rest();
  /// Everything that the follower found none of ours in counts as read.
  void note_seen();
  void keep(const event_ptr& ev);
  void drop_event(seq_t seq);
  /// `then(event_ptr)`, null if the log does not have it any more, or
  /// `otherwise(error)`.
  void with_event(seq_t seq, std::function<void(const event_ptr&)> then,
                  std::function<void(const error&)> otherwise);

  // -- to the wire (delivery_sender_attempts.cpp) ----------------------------

  /// Does what is due and sees to it that it is called when more is.
  void pump();
  void wake(timestamp now);
  void send(seq_t seq, uint32_t number);
  /// Not at once: this may be called from within `pump`.
  void pump_soon();
  void post(const event_ptr& ev, uint32_t number);
  void ended(const delivery_end& end);
  /// The endpoint said that it wants nothing any more.
  void switch_off(const std::string& reason);

  // -- what is given up (delivery_sender_attempts.cpp) -----------------------

  /// Stays in the mark until the dead letter is stored.
  /// `row`: for an event that came to no further attempt.
  void give_up(seq_t seq, uint32_t attempts, const std::string& reason,
               std::optional<uuid> row = {});
  void bury(seq_t seq);
  /// Null if the log does not have the event any more.
  void buried(seq_t seq, const event_ptr& ev);
  void bury_later(seq_t seq);

  // -- what is written down (delivery_sender_progress.cpp) -------------------

  delivery::progress_mark full_mark() const;
  void save();
  void save_now();
  void not_saved(const error& why, delivery_report& sent);
  void save_later();

  // -- once more (delivery_sender_replay.cpp) --------------------------------

  caf::result<replay_answer> replay(const replay_request& r);
  void replay_one(const event_ptr& ev, bool dry,
                  caf::typed_response_promise<replay_answer>& promise);
  void begin_replay(codec::replay_state what, bool dry,
                    caf::typed_response_promise<replay_answer> promise);
  bool wanted(const codec::compiled_filter& extra, const event& ev) const;
  /// One page of what is to be replayed, if there is room for it.
  void scan();
  void take_again(const log_range& found);
  void scan_later(milliseconds pause);

  struct counting {
    codec::replay_state left;
    codec::replay_state whole;
    int64_t found;
    caf::typed_response_promise<replay_answer> promise;
  };

  /// For a dry run.
  void count(const std::shared_ptr<counting>& c);
  caf::result<delivery_test> test();
  void tested(const delivery_end& end);

  // -- to be told ------------------------------------------------------------

  void show();
  caf::result<void> flush();
  void finish_flush();

  delivery_sender_actor::pointer self_;
  actor_context ctx_;
  delivery_tools tools_;
  delivery_sender_options options_;
  delivery_order order_;
  std::string work_;
  std::string kind_;
  delivery::endpoint endpoint_;
  codec::compiled_filter matcher_;
  backoff pauses_;

  /// One for each time that the work is taken up; what belongs to an earlier
  /// one is ignored.
  uint64_t life_ = 0;
  std::optional<fence> proof_;
  bool loading_ = false;
  const char* state_ = "starting";
  subscription_progress progress_;
  std::optional<delivery::delivery_queue> queue_;

  // From the log.
  std::unique_ptr<log_follower> follower_;
  uint64_t following_ = 0;
  log_range_ptr rest_;
  size_t rest_next_ = 0;
  std::map<seq_t, event_ptr> events_;
  size_t cached_bytes_ = 0;
  std::map<seq_t, timestamp> created_;
  behind unseen_;

  // To the wire.
  std::map<seq_t, event_ptr> flights_;
  std::map<seq_t, std::vector<failed_attempt>> failures_;
  std::map<seq_t, lost_event> lost_;
  std::string last_error_;
  std::optional<timestamp> wake_due_;
  uint64_t wakes_ = 0;
  bool soon_ = false;
  int64_t tests_ = 0;
  std::map<int64_t, caf::typed_response_promise<delivery_test>> testing_;

  // To the store.
  std::vector<delivery_attempt> attempts_;
  std::string disabled_reason_;
  /// Who is to be told once what is so now is written down.
  std::vector<std::function<void()>> once_saved_;
  bool dirty_ = false;
  bool saving_ = false;
  bool resting_ = false;
  bool idle_save_due_ = false;

  std::optional<codec::replay_state> replay_;
  bool scanning_ = false;
  bool scan_due_ = false;

  bool flushing_ = false;
  std::vector<caf::typed_response_promise<void>> flushed_;
};

} // namespace eventweft
