// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "persistence/nodes.hpp"

#include <string>

namespace eventweft {

/// `bad_configuration` with a sentence for people while nodes of a cluster are
/// alive on that store: a process beside them that is none of them would do all
/// of their work a second time. Other errors: the store does not say.
expected<void> check_alone(store_nodes& nodes);

/// What is wrong with a `[cluster]` that says something but not that it is
/// enabled; else empty.
std::string idle_cluster(const config::cluster_settings& settings);

} // namespace eventweft
