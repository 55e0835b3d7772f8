// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/outgoing.hpp"
#include "net/outgoing/address.hpp"
#include "net/outgoing/idle_pool.hpp"
#include "net/outgoing/resolver.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace eventweft::outgoing {

struct client_options {
  address_policy policy;
  /// PEM; empty: the system's.
  std::string ca_file;
  std::string user_agent = "eventweft";
  /// Requests at once; more fail as `overloaded`.
  size_t max_in_flight = 1'000;
  idle_limits idle;
};

/// Sends webhooks: HTTP/1.1 over TCP or verified TLS, connections kept alive
/// and used again. No redirect is followed, no proxy is used (`http_proxy` and
/// its like are not looked at), and no address is connected to that the policy
/// does not permit: it is checked after the name was looked up, and the
/// connection goes to that very address. Has one thread of its own; the
/// destructor ends it and fails what is under way as `shutting_down`.
class client final : public poster {
 public:
  /// `names` is shared: it may be busy for longer than the client lives.
  static expected<std::unique_ptr<client>>
  make(client_options options, std::shared_ptr<resolver> names);

  ~client() override;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void post(request what, std::function<void(result)> done) override;
  void check(std::string url,
             std::function<void(expected<void>)> done) override;

 private:
  class worker;
  explicit client(std::unique_ptr<worker> w);

  std::unique_ptr<worker> worker_;
};

} // namespace eventweft::outgoing
