// SPDX-License-Identifier: Apache-2.0
#include "messages/outgoing.hpp"

#include "messages/ascii.hpp"

#include <algorithm>

namespace eventweft::outgoing {

std::string_view response::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers)
    if (std::ranges::equal(key, name, {}, lower, lower))
      return value;
  return {};
}

std::string_view to_string(failure_kind kind) noexcept {
  switch (kind) {
  case failure_kind::bad_request:
    return "bad_request";
  case failure_kind::address_refused:
    return "address_refused";
  case failure_kind::resolve:
    return "resolve";
  case failure_kind::connect:
    return "connect";
  case failure_kind::tls:
    return "tls";
  case failure_kind::timed_out:
    return "timed_out";
  case failure_kind::protocol:
    return "protocol";
  case failure_kind::overloaded:
    return "overloaded";
  case failure_kind::shutting_down:
    return "shutting_down";
  }
  return "protocol";
}

} // namespace eventweft::outgoing
