// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/directory.hpp"
#include "actors/streams.hpp"
#include "actors/subscription.hpp"
#include "net/backend.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace eventweft {

/// The subscriptions of this node's readers, and the only handles to them.
/// Thread-safe. Held by `shared_ptr`.
class subscription_registry
    : public std::enable_shared_from_this<subscription_registry> {
 public:
  /// `sys` need not outlive this, but nothing is opened after its end: the
  /// directory has no askers then.
  subscription_registry(caf::actor_system& sys, actor_context ctx,
                        subscription_options options,
                        std::shared_ptr<stream_catalogue> catalogue)
      : sys_(sys),
        ctx_(std::move(ctx)),
        options_(options),
        catalogue_(std::move(catalogue)) {}

  /// Opens a subscription. A start of `now` becomes a place in the log first,
  /// so that a reader sees whatever is acknowledged after it was told that it
  /// is connected. Where the end of the log is not known within two seconds
  /// (the store has been away since the start), it begins where that will be.
  /// `filter.correlation_ids` must be the present ids of threads.
  void open(reader_request request, filter stream_filter,
            net::reply_to<std::shared_ptr<reader_control>> reply);

  /// Readers of a stream that is gone end; those of one whose filter is
  /// another one begin again where they are.
  void stream_changed(const stream_event& e);

  void end_all();

  /// Their readers are told to come back, here or elsewhere.
  void move_all();

  void forget_all();

 private:
  using slot = handle_slot<subscription_actor>;

  struct entry {
    std::shared_ptr<slot> to;
    std::string stream;
    live_lane_ptr lane;
    reader_id reader = 0;
  };

  class control;

  /// The start is no `now` any more, or can't be helped.
  void open_at(reader_request request, filter stream_filter,
               const net::reply_to<std::shared_ptr<reader_control>>& reply);
  subscription_id reserve(std::shared_ptr<slot> s,
                          const reader_request& request);
  void erase(subscription_id id);
  std::vector<entry> of_stream(const std::string& stream);
  std::vector<std::shared_ptr<slot>> all();

  caf::actor_system& sys_;
  actor_context ctx_;
  subscription_options options_;
  std::shared_ptr<stream_catalogue> catalogue_;
  std::mutex mutex_;
  subscription_id last_ = 0;
  std::unordered_map<subscription_id, entry> entries_;
};

} // namespace eventweft
