// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_rule.hpp"
#include "messages/errors.hpp"

#include <string_view>
#include <vector>

namespace eventweft {

/// Correlation rules that are kept beside those of the configuration. One
/// connection, used by one thread at a time. Blocks and fails as
/// `store_session` does.
class correlation_rule_store {
 public:
  virtual ~correlation_rule_store() = default;

  /// All of them, by name in the order of its bytes; `corrupt` names one that
  /// can't be read.
  virtual expected<std::vector<correlation::declarative_rule>> rules() = 0;

  /// Makes it, or puts it in the place of the one with its name. True if there
  /// was none. Whether it works is not looked at.
  virtual expected<bool>
  set_rule(const correlation::declarative_rule& rule) = 0;

  /// False if there was none.
  virtual expected<bool> drop_rule(std::string_view name) = 0;
};

} // namespace eventweft
