// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/append_queue.hpp"
#include "actors/context.hpp"
#include "actors/storage_writer.hpp"
#include "actors/worker_restart.hpp"
#include "messages/backoff.hpp"

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventweft {

/// The storage writer's inside; only its own sources and tests include this.
class storage_writer_state {
 public:
  static inline constexpr const char* name = "storage_writer";

  storage_writer_state(storage_writer_actor::pointer self, actor_context ctx,
                       storage_writer_options options);

  storage_writer_actor::behavior_type make_behavior();

 private:
  /// What happens to new events.
  enum class mode : uint8_t {
    starting, ///< they wait until it is known whether the spool is empty
    live,     ///< to the store
    away,     ///< to the spool, or refused if there is none
    draining, ///< to the spool, which is being emptied
  };

  // -- intake ----------------------------------------------------------------

  caf::result<append_outcome> take(const event_ptr& ev, bool relayed);
  caf::result<void> flush();
  void start();
  void show_what_was_left();
  void left_unshown(const caf::error& e);
  /// The store has answered.
  void reached();
  void look_into_spool();
  void spool_known(const spool_state& held);
  void spool_unknown(const caf::error& e);
  void watch();
  bool is_idle() const;
  void spool_changed();
  /// For what senders wait for.
  std::chrono::milliseconds patience() const;
  /// What a call of the store's failed with that had so long.
  static error store_error(const caf::error& e, std::chrono::milliseconds had);

  /// Starts whatever can be started.
  void pump();
  bool may_append() const;
  void queue_changed();

  // -- to the store (storage_writer.cpp) -------------------------------------

  /// A batch at the store's worker.
  struct store_call {
    std::vector<pending_append> events;
    /// When it was sent.
    timestamp since{};
    bool retried = false;
    unsigned worker_lost = 0;
    /// Otherwise it failed with the store (`failed_`).
    bool under_way = true;
  };
  using call_ref = std::list<store_call>::iterator;

  void commit_next();
  void send_batch(call_ref call);
  void batch_done(call_ref call, append_results& results);
  void batch_failed(call_ref call, const caf::error& e);
  /// After the store failed (`failed_`): once nothing of it is under way, all
  /// that nobody was told of waits again, in order, and the store is away.
  void fall_back();

  /// A batch that the store has, in the order of the log.
  struct appended_batch {
    std::vector<pending_append> events;
    append_results results;
    /// When it was sent to the store.
    timestamp since{};
  };

  // -- through another node (storage_writer_relay.cpp) -----------------------

  /// Hands on what waits. True if the rest waits for its turn there, too.
  bool relay_waiting();
  bool worth_relaying() const;
  /// Whom to hand it to, if anybody.
  std::optional<append_relay> relay_now();
  void relayed(const std::string& node, appended_batch& batch,
               const append_results& results);
  void relay_failed(const std::string& node, std::vector<pending_append> events,
                    const error& why);
  /// Says so where another node begins to append, or this one.
  void tell_of_relay(const std::string& node);

  // -- durable, then told of (storage_writer_sync.cpp) -----------------------

  /// Makes durable what waits for it, unless that is under way.
  void sync_next();
  void synced();
  void sync_failed(const caf::error& e);
  /// The batch is durable: tells the hub and answers the senders.
  void finish(const appended_batch& batch);
  void answer(const pending_append& x, const append_result& result);
  /// Notes how long the sampled ones of the batch took.
  void sample(const appended_batch& batch);
  /// Tells the hub about what of `events` is in the log by our doing.
  void tell_hub(const std::vector<event_ptr>& events,
                const append_results& results);

  void joined(const thread_report& threads);
  void warn_of_limits(const thread_report& threads);
  void learn(const thread_report& threads);

  // -- to the spool and back (storage_writer_spool.cpp) ----------------------

  void go_away(const error& why);
  void refuse_all();
  void schedule_retry();
  void try_store();
  void come_back();
  /// Events went in: now it is sure that the store is back.
  void proven();
  void spool_next();
  void send_spool_batch();
  void spooled(bool ok, const error& why);
  void drain_next();
  void drain_page(std::vector<event_ptr> events);
  void drained(const std::vector<event_ptr>& events,
               const append_results& results);
  void drain_failed(const error& why);
  void forget_drained(const std::vector<event_ptr>& events);
  void give_up(const std::vector<event_ptr>& page,
               std::vector<std::pair<event_ptr, error>> refused);
  void publish_status();

  // -- an event that the store can't take (storage_writer_blocked.cpp) -------

  /// The store was away when these, from the spool's head, were to go in.
  void not_drained(const std::vector<event_ptr>& events, const error& why);
  /// How many of the spool's events are looked at next.
  uint32_t drain_at_most() const;
  /// Stores one that is not the head, to see if any can be.
  void prove_with_another(const std::vector<event_ptr>& events);

  storage_writer_actor::pointer self_;
  actor_context ctx_;
  storage_writer_options options_;
  mode mode_ = mode::starting;
  append_queue queue_;
  std::vector<caf::typed_response_promise<void>> flushes_;

  /// What is at the store's worker, in the order in which it takes it.
  std::list<store_call> calls_;
  /// Somebody came meanwhile: the store shall not wait for the disk.
  bool hurried_ = false;
  /// So many of the next events go one by one, to find the one that fails.
  size_t singles_ = 0;

  // When the log was told last of threads that are too large to be joined: each
  // event that would join them says it again.
  std::optional<timestamp> told_of_huge_{};

  // Batches that another node appends; their events; since when others write
  // too, and when the last such batch failed; who is said to append.
  size_t relaying_ = 0;
  size_t relaying_events_ = 0;
  std::optional<timestamp> contended_{};
  std::optional<timestamp> relay_failed_{};
  std::string told_relay_;

  // Appended, but not durable; of the first so many it is being asked for.
  std::deque<appended_batch> unsynced_;
  size_t syncing_ = 0;
  unsigned sync_lost_ = 0;
  /// Why the store failed on a batch, or to make some durable, while the other
  /// of the two is under way: nothing more is started.
  std::optional<error> failed_;
  backoff left_pauses_;
  /// Nobody knows how the store is before its first answer; why there was none.
  bool reached_ = false;
  std::optional<error> unreached_because_;

  // The batch at the spool's worker; those who wait for another's outcome.
  std::vector<pending_append> spool_batch_;
  std::vector<std::pair<pending_append, uuid>> followers_;
  bool spool_busy_ = false;
  bool spool_full_ = false;
  /// The log has it, once for as long as nothing was stored anywhere: with a
  /// full disk each attempt at the store is one at the spool as well.
  bool spool_refusal_told_ = false;
  unsigned spool_lost_ = 0;
  spool_index index_;
  uint64_t spool_events_ = 0;
  /// Roughly: the worker knows better.
  uint64_t spool_bytes_ = 0;

  // The way back.
  backoff pauses_;
  uint64_t retry_round_ = 0;
  bool probing_ = false;
  bool draining_busy_ = false;
  /// New events wait so that the rest of the spool can be emptied.
  bool hold_ = false;
  /// The store answers again, but nothing has been stored since.
  bool unproven_ = false;
  /// It did so before and then took no events (a full disk can be read): what
  /// it is now is told only once something is stored.
  bool doubtful_ = false;
  size_t drain_singles_ = 0;
  error away_because_;

  /// The event at the spool's head, while the store is away whenever it is to
  /// go in.
  struct blocked_head {
    uuid id;
    /// How often it failed, together with others or alone.
    unsigned failed = 0;
    unsigned failed_alone = 0;
    /// How often another one went in since it failed alone.
    unsigned overtaken = 0;
    size_t tries = 0;
    bool prove = false;
  };
  blocked_head blocked_;
  /// The log's end when the store answered last after it was away.
  seq_t head_back_then_ = 0;
};

} // namespace eventweft
