// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/dead_letter.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

/// What nodes tell each other of their retries of many dead letters, so that
/// any of them knows how far one is and no two work at the same time. By the
/// control bus, as notices of `control_kind::dead_letters`; nodes that do not
/// know these pass them over. Belongs to the keeper of dead letters; notices
/// come on any thread.
class retry_notices {
 public:
  explicit retry_notices(const actor_context& ctx);
  retry_notices(const retry_notices&) = delete;
  retry_notices& operator=(const retry_notices&) = delete;

  /// How far this node's is. One that runs may be told of as often as one
  /// likes: the others hear of it once a second.
  void tell(const dead_letter_retry& mine);

  /// The last one of the others; nothing if none was heard of. One that nothing
  /// is heard of for so long that its node must be gone, runs no more.
  std::optional<dead_letter_retry> theirs() const;

  /// Asks the node whose that is to end it.
  void stop_theirs();

 private:
  struct heard;

  const actor_context ctx_;
  /// Tells this node's notices from those of others.
  const std::string me_;
  bool told_running_ = false;
  timestamp told_at_{};
  std::shared_ptr<heard> heard_;
  std::shared_ptr<void> guard_;
};

} // namespace eventweft
