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
  send_options send;
  bool sample = false;
  bool dry_run = false;
  tail_options tail;
  events_options events;
  stats_options stats;
  thread_commands threads;
  key_options keys;
  actors_options actors;
  log_level_options levels;

  std::function<int(console&)> action;
};

void add_settings(CLI::App& app, request& r) {
  app.add_option("--config", r.config_file,
                 "The configuration file (default: eventweft.toml here, if "
                 "there is one)")
      ->type_name("FILE");
  app.add_option("--store", r.store, "sqlite:PATH or postgresql://…")
      ->type_name("URL");
  app.add_option("--set", r.assignments,
                 "Any key of the configuration, such as event.max_workers=8; "
                 "a list is a,b or '[\"a\", \"b\"]'; may be repeated")
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

void add_selection(CLI::App& app, selection& s, bool of_stream) {
  app.add_option("--platform", s.platforms, "Only these, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--type", s.types,
                 of_stream ? "Only these event types; * is a wildcard, Issue "
                             "is also Issue:create"
                           : "Only these event types")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--source", s.sources, "Only these source names")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--actor", s.actors,
                 of_stream ? "Only these actor ids"
                           : "Only these actors, by id or name")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--json", s.json, "One JSON object a line, as the API has it");
}

// -- what runs here -----------------------------------------------------------

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

// -- what talks to a server ---------------------------------------------------

void add_send(CLI::App& app, request& r) {
  auto& o = r.send;
  auto* sub = app.add_subcommand(
      "send", "Send a webhook, signed as its platform would");
  sub->add_option("platform", o.platform,
                  "github, slack, linear, deployments, events, or another "
                  "platform's name")
      ->required();
  add_connection(*sub, r.server);
  sub->add_option("--event,--type", o.type,
                  "What the payload is: pull_request, Issue, …");
  auto* file =
      sub->add_option("--file", o.file, "The payload; - is standard input")
          ->type_name("FILE");
  sub->add_flag("--sample", r.sample,
                "A sample payload of the given type; so it is without --file")
      ->excludes(file);
  sub->add_option("--secret", o.secret,
                  "Signs the payload (default: GITHUB_WEBHOOK_SECRET, "
                  "SLACK_SIGNING_SECRET, LINEAR_WEBHOOK_SECRET, "
                  "DEPLOYMENT_WEBHOOK_SECRET); platforms that are not shipped "
                  "are signed for by Standard Webhooks");
  sub->add_option("--delivery", o.delivery,
                  "The delivery's id (default: a new one)");
  sub->add_option("--header", o.headers, "One more header; may be repeated")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  sub->add_option("--content-type", o.content_type, "Default application/json");
  sub->add_option("--count", o.count,
                  "Send so often, each with an id of its own")
      ->check(CLI::Range(1u, 1'000'000'000u));
  sub->add_option("--interval", o.interval, "Seconds between two sends")
      ->check(CLI::Range(0.0, 86'400.0));
  sub->add_flag("--as-is", o.as_is,
                "Leave ids and times within the payload alone");
  sub->footer(
      "Examples:\n"
      "  eventweft send github --secret s3cret\n"
      "  eventweft send github --event pull_request --file pr.json\n"
      "  eventweft send slack --type message --count 100 --interval 0.1\n"
      "  eventweft send events --type build:finished --file result.json");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      r.send.server = r.server;
      return send(r.send, io);
    };
  });
}

void add_tail(CLI::App& app, request& r) {
  auto& o = r.tail;
  auto* sub = app.add_subcommand(
      "tail", "Show events as they come, one a line; resumes by itself");
  sub->add_option("stream", o.stream, "The stream")->capture_default_str();
  add_connection(*sub, r.server);
  sub->add_option("--filter", o.filter, "A filter as the API takes it")
      ->type_name("JSON");
  add_selection(*sub, o.select, true);
  sub->add_option("--since", o.select.since,
                  "now (default), earliest, a seq, an RFC 3339 time, or 15m, "
                  "2h, 7d ago")
      ->type_name("WHEN");
  sub->add_option("-n,--count", o.count, "End after so many events");
  sub->footer("Examples:\n"
              "  eventweft tail\n"
              "  eventweft tail pr_events --since 1h\n"
              "  eventweft tail --platform github --type 'pull_request:*'\n"
              "  eventweft tail --filter "
              "'{\"custom_filters\":{\"payload.action\":\"opened\"}}' --json");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      r.tail.server = r.server;
      return tail(r.tail, io);
    };
  });
}

void add_events(CLI::App& app, request& r) {
  auto& o = r.events;
  auto* sub = app.add_subcommand("events", "Show stored events, newest first");
  sub->add_option("id", o.id, "Show this one in full");
  add_connection(*sub, r.server);
  add_selection(*sub, o.select, false);
  sub->add_option("--since", o.select.since,
                  "From this RFC 3339 time on, since 15m, 2h, 7d ago, after a "
                  "seq, from earliest, or now (what is there by then: "
                  "nothing)")
      ->type_name("WHEN");
  sub->add_option("--until", o.until, "Before this time")->type_name("WHEN");
  sub->add_option("--correlation", o.correlation, "Only this thread")
      ->type_name("ID");
  sub->add_option(
         "--where", o.where,
         "Only those with that: payload.PATH=TEXT, or any field, as in "
         "priority=high; may be repeated")
      ->type_name("NAME=VALUE");
  sub->add_option("--limit", o.limit, "Most events; 0 is all of them")
      ->check([](const std::string& text) {
        return text.starts_with('-') ? std::string{"must not be below 0"}
                                     : std::string{};
      })
      ->capture_default_str();
  sub->add_flag("--asc", o.ascending, "Oldest first");
  auto* explained =
      sub->add_option("--explain", o.explain,
                      "Tell, member by member, what --filter (or --platform, "
                      "--type …) and --stream make of this one; the exit code "
                      "is 1 if it does not match")
          ->type_name("ID");
  sub->add_option("--filter", o.filter, "With --explain: a filter")
      ->type_name("JSON")
      ->needs(explained);
  sub->add_option("--stream", o.stream, "With --explain: a stream's filter")
      ->needs(explained);
  sub->footer("Examples:\n"
              "  eventweft events --explain "
              "01970000-0000-7000-8000-000000000000 --filter "
              "'{\"event_types\":[\"push\"]}'\n"
              "  eventweft events --platform github --since 1h\n"
              "  eventweft events --type push --limit 0 --asc --json\n"
              "  eventweft events 01970000-0000-7000-8000-000000000000");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      r.events.server = r.server;
      return r.events.explain.empty() ? events(r.events, io)
                                      : explain(r.events, io);
    };
  });
}

void add_stats(CLI::App& app, request& r) {
  auto* sub = app.add_subcommand("stats", "Show the server's figures");
  add_connection(*sub, r.server);
  sub->add_flag("--json", r.stats.json, "As the API has them");
  sub->footer("Examples:\n  eventweft stats\n"
              "  eventweft stats --url https://hub.example.org --json");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      r.stats.server = r.server;
      return stats(r.stats, io);
    };
  });
}

void add_actors(CLI::App& app, request& r) {
  auto* sub = app.add_subcommand(
      "actors", "Show the server's parts: states, restarts, queues");
  add_connection(*sub, r.server);
  sub->add_flag("--json", r.actors.json, "As the API has them");
  sub->footer("Examples:\n  eventweft actors\n  eventweft actors --json");
  sub->callback([&r] {
    r.action = [&r](console& io) {
      r.actors.server = r.server;
      return actors(r.actors, io);
    };
  });
  auto* level = app.add_subcommand(
      "log-level",
      "Show or change what the server's parts log, at run time; of "
      "several nodes, a change reaches all");
  level->add_option("component", r.levels.component,
                    "A part, such as stream_hub, or * for all of them");
  level->add_option("level", r.levels.level,
                    "trace, debug, info, warn, error or off");
  add_connection(*level, r.server);
  level->footer("Examples:\n  eventweft log-level\n"
                "  eventweft log-level platform_worker debug\n"
                "  eventweft log-level '*' info");
  level->callback([&r] {
    r.action = [&r](console& io) {
      r.levels.server = r.server;
      return log_level(r.levels, io);
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
  add_send(app, r);
  add_tail(app, r);
  add_events(app, r);
  add_dead_letters(app, r.action);
  add_processors(app, r.action);
  add_streams(app, r.action);
  add_rules(app, r.action);
  add_subscriptions(app, r.action);
  add_stats(app, r);
  add_cluster(app, r.action);
  add_thread_commands(
      app, r.threads, [&r](CLI::App& sub) { add_connection(sub, r.server); },
      [&r](CLI::App& sub) { add_settings(sub, r); }, [&r] { return r.server; },
      [&r] { return settings_of(r); },
      [&r](std::function<int(console&)> action) {
        r.action = std::move(action);
      });
  add_actors(app, r);
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
