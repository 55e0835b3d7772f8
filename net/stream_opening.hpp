// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "net/asker.hpp"
#include "net/reader.hpp"
#include "net/routes.hpp"
#include "net/transport.hpp"
#include "net/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

class io_thread;

/// One request for a stream with what the session knows about it.
struct stream_call {
  io_thread& home;
  asker& ask;
  const route_match& match;
  std::string_view query;
  const std::string& remote_address;
  const request& req;
  /// Who calls; may do what the route needs.
  const auth::principal& who;
  /// The client has sent more than the request.
  bool more_came;
  // The reader takes both over.
  transport& socket;
  connection_slot& slot;
};

/// Hands the connection over to a reader, or gives the reason why not.
awaitable<std::optional<response>> open_stream(const stream_call& call);

} // namespace eventweft::net
