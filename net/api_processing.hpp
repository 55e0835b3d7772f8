// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "net/api.hpp"
#include "net/query.hpp"

namespace eventweft::net {

/// Whether the endpoint is one of processors or dead letters.
bool is_processing_call(endpoint target) noexcept;

/// Answers it.
awaitable<response> answer_processing_call(const api_call& call,
                                           const query_params& params);

/// What dead letters are asked for by.
struct dead_letter_selection {
  dead_letter_query query;
  /// A second; for a retry.
  double rate = 0;
  /// Nothing narrows it down, and that is meant.
  bool all = false;
  /// Something narrows it down.
  bool narrowed = false;
};

/// `origin`, `platform`, `event_type`, `event_id`, `since`, `until`; of a list
/// `cursor`, `limit` and `bodies`, else `all`, and of a retry `rate`. A bad or
/// unknown parameter is refused by name.
expected<dead_letter_selection>
read_dead_letter_selection(const query_params& params, endpoint target);

} // namespace eventweft::net
