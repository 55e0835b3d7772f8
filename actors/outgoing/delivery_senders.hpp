// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/outgoing/subscriptions.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace eventweft {

/// The subscriptions that are known here, with a sender for each that this
/// program delivers to. It belongs to one actor, which watches the senders and
/// must outlive it; only that one calls it.
class delivery_senders {
 public:
  struct entry {
    subscription what;
    /// Null if nothing is delivered to it, or while it restarts.
    delivery_sender_actor sender;
  };

  delivery_senders(subscriptions_actor::pointer self, actor_context ctx,
                   delivery_tools tools,
                   std::shared_ptr<stream_catalogue> catalogue,
                   subscriptions_options options);
  ~delivery_senders();
  delivery_senders(const delivery_senders&) = delete;
  delivery_senders& operator=(const delivery_senders&) = delete;

  const std::map<uuid, entry>& all() const noexcept { return entries_; }
  /// Null if there is none.
  const entry* find(const uuid& id) const;
  /// Likewise if it is another stream's.
  const entry* find(const std::string& stream, const uuid& id) const;

  /// As it is to be from now on.
  void put(subscription s);
  /// Its sender ends as well, and nothing is known of it any more.
  void drop(uuid id);
  /// Those that `gone` is true for.
  void drop_if(const std::function<bool(const subscription&)>& gone);
  /// The stream's own filter is another one.
  void stream_changed(const std::string& stream);
  /// The endpoint wants nothing any more, as its sender knows already.
  void disable(const uuid& id, const std::string& reason);

  /// The subscription whose sender this was; nothing if it had been let go.
  std::optional<uuid> lost(const caf::actor_addr& who);
  /// Starts a sender if the subscription is still there and has none.
  void restart(const uuid& id);
  /// Starts none from now on. `done` is called in the actor, once every sender
  /// has finished what is under way or has had the time for it; not for a
  /// second call.
  void stop(std::function<void()> done);
  bool stopping() const noexcept { return stopping_; }

 private:
  delivery_order order_of(const subscription& s) const;
  void start(entry& e);
  void end(entry& e);

  subscriptions_actor::pointer self_;
  actor_context ctx_;
  delivery_tools tools_;
  std::shared_ptr<stream_catalogue> catalogue_;
  subscriptions_options options_;
  std::map<uuid, entry> entries_;
  bool stopping_ = false;
};

} // namespace eventweft
