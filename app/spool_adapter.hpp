// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/spool_worker.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <functional>
#include <memory>

namespace eventweft {

namespace correlation {
class engine;
} // namespace correlation

/// Gives the spool's actor its spool: the one that was opened at start the
/// first time, the same directory opened anew when the actor is restarted.
struct spool_source {
  using opener = std::function<std::unique_ptr<spool_port>()>;

  /// Whether the directory is there or could be made, and files in it; what it
  /// makes to find out is gone again.
  static expected<void> check(const config::store_settings& settings);

  /// Opens the directory now, so that a fault shows at start. An empty
  /// function if `[store] spool_directory` is empty.
  /// `rules` read the events' keys again; may be null.
  static expected<opener>
  open(const config::store_settings& settings,
       std::shared_ptr<const correlation::engine> rules);
};

} // namespace eventweft
