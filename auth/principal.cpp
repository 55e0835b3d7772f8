// SPDX-License-Identifier: Apache-2.0
#include "auth/principal.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

decision refuse(ec code, std::string reason) {
  return {false, code, std::move(reason)};
}

} // namespace

principal everyone() {
  principal out;
  out.id = "anonymous";
  out.scopes = {{permission::admin, {}}};
  return out;
}

decision decide(const principal& who, permission needed,
                std::string_view stream, timestamp now) {
  if (who.expired(now))
    return refuse(ec::unauthorized, "the credentials have expired");
  if (!std::ranges::any_of(who.scopes, [&](const scope& s) {
        return s.covers(needed, stream);
      })) {
    std::string what{to_string(needed)};
    if (needed == permission::stream)
      what.append(":").append(stream);
    return refuse(ec::forbidden, "this needs the scope \"" + what + "\"");
  }
  if (who.forced &&
      (needed == permission::manage || needed == permission::admin))
    return refuse(ec::forbidden,
                  "credentials with a forced filter can't manage");
  return {true, ec::none, {}};
}

filter visible_to(const principal& who) {
  return who.forced.value_or(filter{});
}

} // namespace eventweft::auth
