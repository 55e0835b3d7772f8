// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "net/outgoing/connection.hpp"
#include "net/outgoing/target.hpp"

#include <optional>
#include <string>

namespace eventweft::outgoing {

/// How one request went on one connection.
struct exchanged {
  tl::expected<response, failure> outcome;
  /// The connection can carry another request.
  bool reusable = false;
  /// The peer had closed before it took anything in: with a kept-alive
  /// connection that is a race, and the request can be sent again.
  bool never_taken = false;
};

/// Sends `what` to `to` and reads the answer; `duration` is left to the
/// caller. A peer that breaks off within its answer is a failure, whatever
/// status it had begun with.
awaitable<exchanged> exchange(connection& over, const request& what,
                              const target& to, const std::string& user_agent,
                              deadline until);

/// What makes `headers` unfit to be sent, if anything does: a name that is no
/// token, a value with a control character, or a name that is the client's
/// own business (`Host`, `Content-Length`, `Transfer-Encoding`, `Connection`,
/// …).
std::optional<std::string> bad_header(const header_list& headers);

} // namespace eventweft::outgoing
