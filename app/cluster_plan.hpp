// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cluster_identity.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "persistence/store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace eventweft {

/// What the configuration makes of a node; connects to nothing.
struct cluster_plan {
  std::string name;
  /// Where it takes links, if at all.
  std::optional<std::pair<std::string, uint16_t>> address;
  /// None without links, or without TLS.
  std::shared_ptr<cluster_identity> identity;
};

/// `bad_configuration` names the key that is wrong.
expected<cluster_plan> plan_node(const config::cluster_settings& settings,
                                 store& on);

/// What people are told of the HTTP server at `http`: where it listens on every
/// address, the host of `links`, which others reach.
std::string http_address(const std::string& http, const std::string& links);

} // namespace eventweft
