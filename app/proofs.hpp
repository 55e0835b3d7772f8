// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <spdlog/logger.h>

/// What webhooks prove themselves with, as the configuration has it.
namespace eventweft {

/// Beyond this machine nobody should find an open door by accident.
void warn_of_unsigned(const config::settings& s, spdlog::logger& log);

/// Whoever wonders why nothing comes in finds it here.
void tell_of_unproven(const config::settings& s, spdlog::logger& log);

/// Whether custom events may come with a secret of their platform's own.
bool events_prove_themselves(const config::settings& s);

} // namespace eventweft
