// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft {

/// Gives each request to whom its URL's scheme names; `http` and `https` to
/// the one named "http". Queues are reached only where the operator said so:
/// their libraries look names up by themselves, so that a subscription could
/// lead them anywhere.
class routing_poster final : public outgoing::poster {
 public:
  /// `queue_servers`: "nats://HOST:PORT", "kafka://HOST:PORT".
  routing_poster(
      std::map<std::string, std::unique_ptr<outgoing::poster>, std::less<>>
          ways,
      std::set<std::string, std::less<>> queue_servers)
      : ways_(std::move(ways)), queue_servers_(std::move(queue_servers)) {}

  void post(outgoing::request what,
            std::function<void(outgoing::result)> done) override;
  void check(std::string url,
             std::function<void(expected<void>)> done) override;

 private:
  outgoing::poster* way_of(std::string_view url) const;
  /// Why it must not be sent to; empty if it may.
  std::string objection(std::string_view url) const;

  std::map<std::string, std::unique_ptr<outgoing::poster>, std::less<>> ways_;
  std::set<std::string, std::less<>> queue_servers_;
};

} // namespace eventweft
