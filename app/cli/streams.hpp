// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// `eventweft streams …` and `eventweft subscriptions …`.
namespace eventweft::cli {

struct stream_options {
  connection server;
  std::vector<std::string> names;
  std::string description;
  std::string filter;
  bool json = false;
};

struct subscription_options {
  connection server;
  std::string stream;
  std::string id;
  /// Where events go.
  std::string to;
  std::string type;
  std::string subscriber;
  std::string filter;
  std::string format;
  std::string secret;
  bool asymmetric = false;
  std::vector<std::string> headers;
  bool ordered = false;
  bool parallel = false;
  std::optional<uint32_t> max_concurrent;
  std::optional<double> rate;
  std::string since;
  std::string until;
  std::string event;
  bool dry_run = false;
  bool drop_old = false;
  uint64_t limit = 50;
  bool json = false;
};

/// Adds both commands; `run` is what the chosen one leaves to be done. The
/// options live as long as `app`.
void add_streams(CLI::App& app, std::function<int(console&)>& run);

} // namespace eventweft::cli
