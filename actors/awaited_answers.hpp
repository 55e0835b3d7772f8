// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/processing.hpp"
#include "messages/protocols.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <caf/typed_response_promise.hpp>

#include <optional>
#include <unordered_map>

namespace eventweft {

/// Events whose webhooks wait for what answering processors have to say.
/// Whoever asked is answered by the first reply, or with `not_found` once
/// nobody is left who could have one. Those that nobody answered within a
/// minute get `timed_out` when another one is added.
class awaited_answers {
 public:
  using promise = caf::typed_response_promise<processing::reply>;

  /// `missing`: how many processors may have something to say. At least 1.
  void add(const uuid& event, promise asked, size_t missing, timestamp now);
  bool contains(const uuid& event) const { return waiting_.contains(event); }
  /// From one of them; nothing: it has nothing to say.
  void reply(const uuid& event, const std::optional<processing::reply>& r);

 private:
  struct awaited {
    promise asked;
    size_t missing = 0;
    timestamp until{};
  };

  void forget(timestamp now);

  std::unordered_map<uuid, awaited> waiting_;
  timestamp next_forgetting_{};
};

} // namespace eventweft
