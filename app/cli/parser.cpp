// SPDX-License-Identifier: Apache-2.0
#include "app/cli/parser.hpp"

#include "app/cli/cluster.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/dead_letters.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/keys.hpp"
#include "app/cli/processors.hpp"
#include "app/cli/rules.hpp"
#include "app/cli/selection.hpp"
#include "app/cli/streams.hpp"
#include "app/cli/subscriptions.hpp"
#include "app/cli/threads.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace eventweft::cli {

namespace {

/// What is filled while the command line is read, and what it asks for.
struct request {
  config::load_options load;
  std::string config_file;
  std::string listen;
  std::string store;
  std::string log_level;
  std::string log_format;
  std::vector<std::string> assignments;

  connection server;
  bool dry_run = false;
  thread_commands threads;
  key_options keys;

  std::function<int(console&)> action;
};

void add_settings(CLI::App& app, request& r) {
  app.add_option("--config", r.config_file,
                 "The configuration file (default: eventweft.toml here, if "
                 "there is one)")
      ->type_name("FILE");
  app.add_option("--store", r.store, "sqlite:PATH or postgresql://…")
      ->type_name("URL");
  app.add_option(
         "--set", r.assignments,
         "Any key of the configuration, such as event.max_workers=8, but "
         "for tables (platforms.NAME.priority, correlation.rules); a "
         "list is a,b or '[\"a\", \"b\"]'; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

expected<config::load_options> settings_of(const request& r) {
  config::load_options options = r.load;
  options.env = config::process_environment();
  if (!r.config_file.empty())
    options.file = r.config_file;
  for (const auto& text : r.assignments) {
    const auto equals = text.find('=');
    if (equals == std::string::npos)
      return fail(ec::bad_configuration,
                  "--set: expected KEY=VALUE, such as event.max_workers=8");
    const auto key = text.substr(0, equals);
    options.flags.push_back({"--set " + key, key, text.substr(equals + 1)});
  }
  const auto add = [&](std::string_view label, std::string_view key,
                       const std::string& value) {
    if (!value.empty())
      options.flags.push_back({std::string{label}, std::string{key}, value});
  };
  add("--listen", "server.listen", r.listen);
  add("--store", "store.url", r.store);
  add("--log-level", "log.level", r.log_level);
  add("--log-format", "log.format", r.log_format);
  return options;
}

void add_serve(CLI::App& app, request& r, const programs& start) {
  auto* sub = app.add_subcommand("serve", "Run the hub");
  add_settings(*sub, r);
  sub->add_option("--listen", r.listen,
                  "Where to listen (default 127.0.0.1:8080); port 0 picks one "
                  "and prints it; beyond this machine only with an API key, "
                  "[auth], or server.insecure=true")
      ->type_name("HOST:PORT");
  sub->add_option("--log-level", r.log_level,
                  "trace, debug, info, warn, error or off");
  sub->add_option("--log-format", r.log_format, "text or json");
  sub->footer(
      "Examples:\n"
      "  eventweft serve\n"
      "  GITHUB_WEBHOOK_SECRET=… eventweft serve\n"
      "  eventweft serve --listen 0.0.0.0:8080    (after `eventweft keys "
      "create --scope admin`)\n"
      "  eventweft serve --store postgresql://hub@db/hub\n"
      "  eventweft serve --config /etc/eventweft.toml --log-level debug");
  sub->callback([&r, &start] {
    r.action = [&r, &start](console& io) {
      const auto options = settings_of(r);
      if (!options)
        return report(options.error(), io);
      const auto loaded = load_valid(*options, start);
      return loaded ? start.serve(loaded->values) : report(loaded.error(), io);
    };
  });
}

void add_store_command(
    CLI::App& app, request& r, const char* name, const char* help,
    const char* examples,
    std::function<int(const config::load_options&, console&)> command) {
  auto* sub = app.add_subcommand(name, help);
  add_settings(*sub, r);
  sub->footer(examples);
  sub->callback([&r, command = std::move(command)] {
    r.action = [&r, command](console& io) {
      const auto options = settings_of(r);
      return options ? command(*options, io) : report(options.error(), io);
    };
  });
}

void add_retention(CLI::App& app, request& r) {
  auto* sub = app.add_subcommand(
      "retention", "Let go of events past their time ([retention] keep); "
                   "`serve` does it by itself");
  add_settings(*sub, r);
  sub->add_flag("--dry-run", r.dry_run, "Only tell what would go");
  sub->footer("Examples:\n  eventweft retention --dry-run\n"
              "  eventweft retention --set retention.keep=90d --dry-run");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      const auto options = settings_of(r);
      return options ? retention(*options, r.dry_run, io)
                     : report(options.error(), io);
    };
  });
}

/// The first word that names no command where one is needed.
std::string unknown_command(const CLI::App& app, int argc,
                            const char* const* argv) {
  const auto* at = &app;
  for (int i = 1; i < argc && at->get_require_subcommand_min() > 0; ++i) {
    const std::string word{argv[i]};
    if (word.empty() || word.front() == '-')
      return {};
    const auto named = at->get_subcommands(
        [&word](const CLI::App* sub) { return sub->check_name(word); });
    if (named.empty())
      return word;
    at = named.front();
  }
  return {};
}

} // namespace

int parse_and_run(int argc, const char* const* argv, const programs& start,
                  console& io) {
  request r;
  CLI::App app{"A self-hosted event hub: webhooks in, one durable log, live "
               "streams out.",
               "eventweft"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "eventweft " EVENTWEFT_VERSION);
  app.footer("`eventweft COMMAND --help` says more about each. Exit codes: 0, "
             "1 failure, 2 usage or configuration.");
  add_serve(app, r, start);
  add_store_command(app, r, "migrate",
                    "Bring the store's schema up to this version",
                    "Examples:\n  eventweft migrate\n"
                    "  eventweft migrate --store postgresql://owner@db/hub",
                    migrate);
  add_store_command(app, r, "check",
                    "Show the configuration in effect, where it is from, and "
                    "the store's state",
                    "Examples:\n  eventweft check\n"
                    "  eventweft check --config /etc/eventweft.toml",
                    [&start](const config::load_options& options, console& c) {
                      return check(options, start, c);
                    });
  add_retention(app, r);
  add_keys(
      app, r.keys, [&r](CLI::App& sub) { add_settings(sub, r); },
      [&r](key_command command) {
        r.action = [&r, command](console& c) {
          const auto options = settings_of(r);
          return options ? command(r.keys, *options, c)
                         : report(options.error(), c);
        };
      });
  add_send(app, r.action);
  add_tail(app, r.action);
  add_events(app, r.action);
  add_dead_letters(app, r.action);
  add_processors(app, r.action);
  add_streams(app, r.action);
  add_rules(app, r.action);
  add_subscriptions(app, r.action);
  add_stats(app, r.action);
  add_cluster(app, r.action);
  add_thread_commands(
      app, r.threads, [&r](CLI::App& sub) { add_connection(sub, r.server); },
      [&r](CLI::App& sub) { add_settings(sub, r); }, [&r] { return r.server; },
      [&r] { return settings_of(r); },
      [&r](std::function<int(console&)> action) {
        r.action = std::move(action);
      });
  add_actors(app, r.action);
  add_log_level(app, r.action);
  app.add_subcommand("version", "Show the version")->callback([&r] {
    r.action = [](console& c) {
      c.out << "eventweft " EVENTWEFT_VERSION "\n";
      return exit_ok;
    };
  });
  if (const auto word = unknown_command(app, argc, argv); !word.empty()) {
    io.err << "eventweft: there is no command \"" << printable(word)
           << "\"; `--help` lists them\n";
    return exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    const int code = app.exit(fault, io.out, io.err);
    return code == 0 ? exit_ok : exit_usage;
  }
  return r.action(io);
}

} // namespace eventweft::cli
