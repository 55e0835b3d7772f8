// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// Rules that give an event its priority; the first that fits decides.
/// Immutable, thread-safe.
class priority_rules {
 public:
  priority_rules() = default;

  /// `bad_configuration` names the rule (`where` and its number) that has an
  /// unknown priority or an unusable pointer.
  static expected<priority_rules>
  make(const std::vector<config::priority_rule>& rules, std::string_view where);

  /// Nothing if no rule fits.
  std::optional<priority> find(std::string_view event_type,
                               simdjson::dom::element payload) const;

 private:
  struct rule {
    std::string event_type;
    std::string field;
    std::string value;
    eventweft::priority result;
  };
  std::vector<rule> rules_;
};

/// Whether `pattern` (with `*`) fits the type, or the part before its `:`.
bool type_matches(std::string_view pattern,
                  std::string_view event_type) noexcept;

} // namespace eventweft::platforms
