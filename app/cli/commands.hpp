// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/loader.hpp"

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

/// What the subcommands do once the command line is read. Each returns the
/// exit code: 0, 1 for a failure, 2 for usage or configuration. `add_…` adds a
/// command whose options live as long as `app`; `run` is what it leaves to be
/// done if it is chosen.
namespace eventweft::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;

/// What the API gives at most in one page.
inline constexpr uint64_t largest_page = 1'000;

/// For terminals.
namespace terminal {
inline constexpr std::string_view bold = "\x1b[1m";
inline constexpr std::string_view dim = "\x1b[2m";
inline constexpr std::string_view green = "\x1b[32m";
inline constexpr std::string_view reset = "\x1b[0m";
} // namespace terminal

struct console {
  std::ostream& out;
  std::ostream& err;
  /// Whether `out` is a terminal that wants colours.
  bool colour = false;
};

/// How to reach a running server.
struct connection {
  std::string url = "http://127.0.0.1:8080";
  std::string token;
  /// Authorities (PEM) to trust instead of the system's; empty: the system's.
  std::string ca;
  /// What servers that ask for a certificate are shown (PEM); empty: none.
  std::string certificate;
  /// Empty: the key is in the same file.
  std::string key;
};

struct send_options {
  connection server;
  /// github, slack, linear, deployments, events, or another platform's name.
  std::string platform;
  /// GitHub's `X-GitHub-Event`, Linear's `Linear-Event`, the `event_type` of a
  /// custom event, the `status` of a sample deployment.
  std::string type;
  /// "-" is standard input; empty: a sample.
  std::string file;
  std::string secret;
  std::string delivery;
  std::vector<std::string> headers;
  std::string content_type;
  uint32_t count = 1;
  double interval = 0; ///< seconds
  /// Asked for by name; without a file it is sent anyway.
  bool sample = false;
  /// Neither new ids nor new times are put into the payload.
  bool as_is = false;
};
int send(const send_options& options, console& io);
void add_send(CLI::App& app, std::function<int(console&)>& run);

/// What both `tail` and `events` select by.
struct selection {
  std::vector<std::string> platforms;
  std::vector<std::string> types;
  std::vector<std::string> sources;
  std::vector<std::string> actors;
  std::string since;
  bool json = false;
};

struct tail_options {
  connection server;
  std::string stream = "all_events";
  std::string filter;
  selection select;
  /// Ends after so many events; 0: never.
  uint64_t count = 0;
};
int tail(const tail_options& options, console& io);
void add_tail(CLI::App& app, std::function<int(console&)>& run);

struct events_options {
  connection server;
  /// Shows this one in full.
  std::string id;
  /// Tells what `filter`, and that of `stream`, make of this one.
  std::string explain;
  std::string filter;
  std::string stream;
  selection select;
  std::string until;
  std::string processed_since;
  std::string processed_until;
  /// Seconds.
  std::string min_duration;
  std::string max_duration;
  std::string correlation;
  /// NAME=VALUE: what else the API's page of events can be asked for.
  std::vector<std::string> where;
  uint64_t limit = 50;
  bool ascending = false;
};
int events(const events_options& options, console& io);
/// Exit code 1 if the event does not match.
int explain(const events_options& options, console& io);
void add_events(CLI::App& app, std::function<int(console&)>& run);

struct stats_options {
  connection server;
  bool json = false;
};
int stats(const stats_options& options, console& io);
void add_stats(CLI::App& app, std::function<int(console&)>& run);

struct actors_options {
  connection server;
  bool json = false;
};
int actors(const actors_options& options, console& io);
void add_actors(CLI::App& app, std::function<int(console&)>& run);

struct log_level_options {
  connection server;
  /// Both empty: only shows the levels. "*" is every component.
  std::string component;
  std::string level;
};
int log_level(const log_level_options& options, console& io);
void add_log_level(CLI::App& app, std::function<int(console&)>& run);

/// Whether the address is that of a SQLite file that is not there: a look at it
/// must not make it.
bool is_missing_file(const std::string& url);

struct programs;

/// The configuration, if `start` has nothing against it; `bad_configuration`
/// lists all faults, one a line, each with the place that it is from.
expected<config::effective> load_valid(const config::load_options& options,
                                       const programs& start);

int migrate(const config::load_options& options, console& io);
int check(const config::load_options& options, const programs& start,
          console& io);
/// `dry_run` only tells what would go.
int retention(const config::load_options& options, bool dry_run, console& io);

} // namespace eventweft::cli
