// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/live_lanes.hpp"
#include "actors/live_matches.hpp"
#include "actors/live_readers.hpp"
#include "actors/live_ring.hpp"
#include "actors/stream_hub.hpp"
#include "codec/thread_names.hpp"
#include "messages/backoff.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace eventweft {

/// The stream hub's inside; only its own sources include this.
class stream_hub_state {
 public:
  static inline constexpr const char* name = "stream_hub";

  stream_hub_state(stream_hub_actor::pointer self, actor_context ctx,
                   stream_hub_options options,
                   std::shared_ptr<live_lanes> lanes);

  stream_hub_actor::behavior_type make_behavior();

 private:
  // -- the end of the log ----------------------------------------------------

  void start();
  void started(seq_t head);
  /// Whatever is acknowledged after this was asked lies beyond the answer.
  caf::result<seq_t> head();
  void committed(const log_range_ptr& range);
  void keep_early(const log_range_ptr& range);
  void take_early();
  /// Takes what is new in a range that begins at or before the next seq.
  void accept(const log_range& range);
  /// The log is that long. What is between is most likely on its way: other
  /// nodes append as well, and their events come by another path than ours.
  void reaches_to(seq_t last);
  /// What did not come by itself within the grace is read from the store.
  void fill_expected();
  /// Reads from the store what is between the ring's head and the target.
  void fill();
  /// The store's answer to what follows `after`.
  void filled(seq_t after, const log_range& range);
  void fill_later();

  // -- threads that change (stream_hub_threads.cpp) ---------------------------

  /// Before a merge is told, what is in memory is in the thread that stayed, as
  /// it is in the store: a reader gets the same from both.
  void take_merges(std::vector<event_ptr>& events);
  /// What stored events have got since is got by those in memory, and by those
  /// that come just now.
  void take_news(const thread_news& news, std::vector<event_ptr>& events);
  /// Filters that ask for a thread that is no more go on with what it is part
  /// of.
  thread_renames learn_merges(const std::vector<event_ptr>& events);
  /// `then` is called once it is known how the store calls the threads that
  /// filters ask for: what it just gave out may be in one that we have not been
  /// told of yet.
  void with_names(const storage_reader_actor& store,
                  const std::function<void()>& then,
                  const std::function<void()>& failed);

  /// Something may have changed that nobody told us: what is in memory is held
  /// against the store with the next look at it.
  void doubt_memory();
  /// Asks the store whether threads were changed by others, and if so, or if
  /// there is a doubt, where the events in memory stand by now.
  void look_at_threads();
  void read_places(const storage_reader_actor& store, seq_t after);
  void take_places(const storage_reader_actor& store, const places_page& page);

  // -- interest (stream_hub_interest.cpp) -------------------------------------

  /// A reader has come: from now on there is somebody.
  void begin_interest();
  /// Interest ends once there was nobody for a whole pause.
  void watch_interest();
  /// Nobody reads: what is between the head and there is in the store for those
  /// who come later.
  void skip_to(seq_t last);
  /// Joins wait for the end of the log, and for what the store calls threads by
  /// now where merges may have passed unseen.
  void serve_joins();

  // -- the slow look at the store --------------------------------------------

  void schedule_poll();
  void poll();
  /// `waited`: who waited for which cursor when the store was asked.
  void polled(seq_t head, const std::map<subscription_id, seq_t>& waited);

  // -- readers ---------------------------------------------------------------

  caf::result<join_answer> take_join(join_request r);
  join_answer join(join_request r);
  void leave(subscription_id who);

  /// What filters cost since it was told last.
  void count_tried();

  // -- lanes (stream_hub_lanes.cpp) ------------------------------------------

  void pump_all();
  void pump(lane_record& lane);
  void publish(lane_record& lane, lane_batch batch, timestamp since);
  /// The lane fell behind the ring: its next batch comes from the store.
  void read_for(lane_record& lane);
  /// The store's answer to what a lane needs after `after`.
  void read_lane(lane_number number, seq_t after, const log_range& range,
                 const std::function<void()>& later);
  void ready(lane_number number);

  stream_hub_actor::pointer self_;
  actor_context ctx_;
  stream_hub_options options_;
  std::shared_ptr<live_lanes> book_;
  live_ring ring_;
  /// Of looking for the end of the log and reading up to it, and of reading
  /// for lanes.
  backoff pauses_;
  backoff lane_pauses_;
  live_matches matches_;
  live_readers readers_;
  codec::thread_names& names_ = codec::thread_names::shared();
  /// Of `matches_` and `readers_`, as far as the figures know.
  uint64_t told_tried_ = 0;
  bool started_ = false;
  bool filling_ = false;
  bool polling_ = false;
  bool placing_ = false;
  /// Whether anybody reads here, or did a moment ago.
  bool interested_ = false;
  /// How often a reader came or went.
  uint64_t comings_ = 0;
  /// Whether merges may have passed unseen, and whether the store is being
  /// asked for the names of threads because of that.
  bool names_unsure_ = true;
  bool naming_ = false;
  /// How often what is in memory has still to be held against the store.
  unsigned doubts_ = 0;
  /// Of the threads in the store, as it was asked last.
  std::optional<int64_t> threads_version_;
  /// What was merged since the store was asked where events stand.
  thread_renames merged_meanwhile_;
  /// As far as the log is known to reach.
  seq_t target_ = 0;
  /// The same, but what is missing may still come by itself.
  seq_t expected_ = 0;
  bool in_grace_ = false;
  timestamp latest_{};
  std::map<seq_t, log_range_ptr> early_;
  /// What was asked before it could be answered.
  std::vector<caf::typed_response_promise<seq_t>> early_heads_;
  std::vector<std::pair<join_request, caf::typed_response_promise<join_answer>>>
      early_joins_;
};

} // namespace eventweft
