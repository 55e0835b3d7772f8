// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "net/backend.hpp"
#include "telemetry/refusal_log.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace eventweft {

struct ingress_options {
  uint32_t max_in_flight = 1'000;
  uint32_t max_waiting = 1'000;
  std::chrono::milliseconds max_wait{2'000};
  std::chrono::milliseconds timeout{60'000};
  /// Shorter times of the platforms whose senders do not wait that long.
  std::map<std::string, std::chrono::milliseconds, std::less<>> answer_within;
};

/// The gate that webhooks come in through: so many are in flight, so many
/// wait, in order, for so long, the rest is `overloaded`. Thread-safe.
class ingress : public std::enable_shared_from_this<ingress> {
 public:
  ingress(actor_context ctx, ingress_options options);

  void accept(webhook_ptr w, net::reply_to<webhook_answer> reply);

  /// Everything new gets `shutting_down`.
  void refuse();

  size_t size() const;

 private:
  friend class ingress_call;
  friend class ingress_tick;

  struct waiter {
    webhook_ptr request;
    net::reply_to<webhook_answer> reply;
    timestamp since;
  };

  using call_ptr = std::shared_ptr<class ingress_call>;

  /// With the mutex held: enters a call into the books.
  call_ptr enter(waiter w, unsigned attempt);
  /// Hands a call to an asker.
  void launch(const call_ptr& call);
  /// The call's actor died: once more, in the same place.
  void again(waiter w);
  /// A call has its answer: the next one may start.
  void done(uint64_t id);
  /// Ends what has waited or run for too long.
  void sweep();
  /// How long a webhook of that platform may take, less what the sweep may
  /// come late.
  std::chrono::milliseconds limit_of(std::string_view platform) const;
  void keep_ticking();
  /// Whether there is nothing left to keep deadlines for.
  bool stop_ticking_if_idle();

  actor_context ctx_;
  ingress_options options_;
  refusal_log refusals_;
  mutable std::mutex mutex_;
  std::deque<waiter> waiting_;
  std::unordered_map<uint64_t, std::weak_ptr<class ingress_call>> running_;
  uint64_t last_id_ = 0;
  bool refusing_ = false;
  bool ticking_ = false;
};

} // namespace eventweft
