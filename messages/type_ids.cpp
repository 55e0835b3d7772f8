// SPDX-License-Identifier: Apache-2.0
#include "messages/type_ids.hpp"

#include "messages/inspect.hpp"

#include <caf/all.hpp>

#include <mutex>

namespace eventweft {

void init_message_types() {
  static std::once_flag once;
  std::call_once(once, [] {
    caf::core::init_global_meta_objects();
    caf::init_global_meta_objects<caf::id_block::eventweft>();
  });
}

caf::error to_caf(const error& e) {
  return to_caf(e.code, e.message);
}

caf::error to_caf(ec code, std::string message) {
  return caf::make_error(code, std::move(message));
}

error from_caf(const caf::error& e) {
  if (!e)
    return {ec::none, {}};
  if (e.category() == caf::type_id_v<ec>) {
    error out{static_cast<ec>(e.code()), {}};
    if (e.context().match_elements<std::string>())
      out.message = e.context().get_as<std::string>(0);
    return out;
  }
  if (e == caf::sec::request_timeout)
    return {ec::timed_out, "an inner part took too long to answer"};
  if (is_actor_gone(e))
    return {ec::overloaded, "an inner part is restarting"};
  return {ec::internal, caf::to_string(e)};
}

bool is_actor_gone(const caf::error& e) noexcept {
  if (!e)
    return false;
  if (e.category() == caf::type_id_v<caf::exit_reason>)
    return true;
  return e == caf::sec::request_receiver_down || e == caf::sec::broken_promise;
}

} // namespace eventweft
