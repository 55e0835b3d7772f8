// SPDX-License-Identifier: Apache-2.0
#include "messages/errors.hpp"

namespace eventweft {

std::string_view to_string(ec code) noexcept {
  switch (code) {
  case ec::none:
    return "none";
  case ec::malformed:
    return "malformed";
  case ec::unauthorized:
    return "unauthorized";
  case ec::forbidden:
    return "forbidden";
  case ec::not_found:
    return "not_found";
  case ec::method_not_allowed:
    return "method_not_allowed";
  case ec::timed_out:
    return "timed_out";
  case ec::too_large:
    return "too_large";
  case ec::unsupported_media_type:
    return "unsupported_media_type";
  case ec::unprocessable:
    return "unprocessable";
  case ec::too_many_requests:
    return "too_many_requests";
  case ec::overloaded:
    return "overloaded";
  case ec::store_unavailable:
    return "store_unavailable";
  case ec::store_full:
    return "store_full";
  case ec::row_refused:
    return "row_refused";
  case ec::corrupt:
    return "corrupt";
  case ec::schema_mismatch:
    return "schema_mismatch";
  case ec::conflict:
    return "conflict";
  case ec::shutting_down:
    return "shutting_down";
  case ec::bad_configuration:
    return "bad_configuration";
  case ec::internal:
    return "internal";
  case ec::not_owner:
    return "not_owner";
  case ec::outdated:
    return "outdated";
  }
  return "internal";
}

std::string to_string(const error& e) {
  std::string out{to_string(e.code)};
  if (!e.message.empty())
    out.append(": ").append(e.message);
  return out;
}

} // namespace eventweft
