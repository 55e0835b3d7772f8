// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace eventweft::cli {

struct key_options {
  std::vector<std::string> scopes;
  std::string name;
  std::string filter;
  std::string expires;
  std::vector<std::string> ids;
  bool json = false;
};

using key_command = int (*)(const key_options&, const config::load_options&,
                            console&);

// They need no running server: it sees the change by itself.
int create_key(const key_options& options, const config::load_options& load,
               console& io);
int list_keys(const key_options& options, const config::load_options& load,
              console& io);
int revoke_keys(const key_options& options, const config::load_options& load,
                console& io);

/// Adds `keys create|list|revoke` to `app`. `add_settings` adds what selects
/// the store; `run` is told which command was asked for.
void add_keys(CLI::App& app, key_options& o,
              const std::function<void(CLI::App&)>& add_settings,
              const std::function<void(key_command)>& run);

} // namespace eventweft::cli
