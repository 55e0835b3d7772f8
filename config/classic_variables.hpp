// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"

#include <array>
#include <string_view>

namespace eventweft::config {

/// A variable that has a name of its own beside `EVENTWEFT_…`.
struct classic_variable {
  std::string_view name;
  std::string_view section;
  std::string_view platform;
  std::string_view key;
};

inline constexpr auto classic_variables = std::to_array<classic_variable>({
    {"DB_HOST", "database", {}, "host"},
    {"DB_PORT", "database", {}, "port"},
    {"DB_NAME", "database", {}, "database"},
    {"DB_USER", "database", {}, "user"},
    {"DB_PASSWORD", "database", {}, "password"},
    {"GITHUB_WEBHOOK_SECRET", platform_section, "github", "secrets"},
    {"SLACK_SIGNING_SECRET", platform_section, "slack", "secrets"},
    {"LINEAR_WEBHOOK_SECRET", platform_section, "linear", "secrets"},
    {"DEPLOYMENT_WEBHOOK_SECRET", platform_section, "deployments", "secrets"},
});

} // namespace eventweft::config
