// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/dead_letter.hpp"
#include "messages/outgoing.hpp"
#include "messages/time.hpp"
#include "processing/program_guard.hpp"
#include "processing/registry.hpp"
#include "telemetry/log.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace eventweft {

/// Whether anything in the configuration of processors and dead letters sends
/// requests.
bool needs_poster(const config::settings& s);

/// Registers what `[processors.NAME]` says. `bad_configuration` names the
/// section and the key. `poster` may be null where `needs_poster` is false,
/// `guard` where nothing is run.
expected<void> add_configured(processing::registry& to,
                              const config::settings& s,
                              std::shared_ptr<outgoing::poster> poster,
                              std::shared_ptr<const clock> time,
                              std::shared_ptr<processing::program_guard> guard);

/// Tells `[dead_letters] alert_url`; empty if there is none.
/// `bad_configuration` for a secret that is none.
expected<dead_letter_alert> make_alert(const config::dead_letters_settings& s,
                                       std::shared_ptr<outgoing::poster> poster,
                                       std::shared_ptr<const clock> time,
                                       logger_ptr log);

} // namespace eventweft
