// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/fence.hpp"
#include "messages/processing.hpp"

#include <string_view>
#include <vector>

namespace eventweft {

/// What processors remember: how far they are with the log as a whole and
/// with single events. One connection, used by one thread at a time. Blocks
/// and fails as `store_session` does.
class processing_store {
 public:
  virtual ~processing_store() = default;

  /// The processor's marks; none if it was never seen.
  virtual expected<std::vector<processing::stored_mark>>
  marks(std::string_view processor) = 0;

  /// The marks of all processors that there ever were, by their names.
  virtual expected<processing::named_marks> known() = 0;

  /// Writes all of it or nothing: rows of `event_processing_status`, the
  /// marks, `processed_at` and `processing_duration` of the events that no
  /// processor has anything left to do with (`status_row::settled`, and
  /// `others` by what is stored of them), and the figures of the day.
  /// `not_owner` if `owner` is no longer the newest. To do it again is safe.
  virtual expected<void> record(std::string_view processor, const fence& owner,
                                const processing::changes& what) = 0;
};

} // namespace eventweft
