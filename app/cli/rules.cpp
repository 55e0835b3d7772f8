// SPDX-License-Identifier: Apache-2.0
#include "app/cli/rules.hpp"

#include "app/cli/api_call.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/json_body.hpp"
#include "app/cli/selection.hpp"
#include "codec/filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventweft::cli {

namespace {

constexpr std::string_view rules_path = "/api/v1/correlation-rules";

struct rule_options {
  connection server;
  std::vector<std::string> names;
  std::string match;
  std::string key;
  std::string field;
  std::string pattern;
  std::optional<double> confidence;
  std::optional<uint32_t> window;
  bool json = false;
};

std::string rule_path(std::string_view name) {
  return std::string{rules_path} + '/' + url_escaped(name);
}

int list_rules(const rule_options& o, console& io) {
  return show_list(o.server, {std::string{rules_path}, "correlation_rules"},
                   o.json, io, [&io](simdjson::dom::element r) {
                     const auto key = shown(r, "/key");
                     io.out << shown(r, "/name") << "  " << shown(r, "/origin")
                            << (shown(r, "/disabled") == "true" ? "  disabled"
                                                                : "")
                            << (key.empty() ? "" : "  ") << key << '\n';
                   });
}

int set_rule(const rule_options& o, console& io) {
  json_body body;
  if (!o.match.empty()) {
    if (const auto read = codec::parse_filter(o.match); !read)
      return report({ec::bad_configuration, "--match: " + read.error().message},
                    io);
    body.raw("match", o.match);
  }
  body.text("key", o.key);
  if (!o.field.empty())
    body.text("field", o.field);
  if (!o.pattern.empty())
    body.text("pattern", o.pattern);
  if (o.confidence)
    body.raw("confidence", fmt::format("{}", *o.confidence));
  if (o.window)
    body.raw("window", fmt::format("{}", *o.window));
  return ask_and_show(
      o.server,
      with_body("PUT", rule_path(o.names.front()), std::move(body).finish()),
      "", io);
}

int delete_rules(const rule_options& o, console& io) {
  return delete_each(o.server, o.names, rule_path, io);
}

} // namespace

void add_rules(CLI::App& app, runner& run) {
  auto o = std::make_shared<rule_options>();
  auto* all = app.add_subcommand(
      "rules", "List, set or delete correlation rules of a running server");
  all->require_subcommand(1);
  all->footer(
      "Examples:\n"
      "  eventweft rules list\n"
      "  eventweft rules set deployment-pr --key "
      "'deployment_pr_{payload.pull_request.number}' --match "
      "'{\"platforms\":[\"deployments\"]}'\n"
      "  eventweft rules set zendesk --field payload.event.text "
      "--pattern 'ZD-(\\d+)' --key 'zendesk:{1}' --confidence 0.9\n"
      "  eventweft rules delete zendesk\n"
      "What is set is in force on all nodes within a second; `eventweft "
      "correlate --backfill` applies it to what is stored.");
  add_action(*all, run, o, "list", "All that are in force, by name", list_rules)
      ->add_flag("--json", o->json, "One JSON object a line");
  auto* set =
      add_action(*all, run, o, "set",
                 "Make a rule, or replace the one of that name", set_rule);
  set->add_option("name", o->names, "Its name")->required()->expected(1);
  set->add_option("--key", o->key,
                  "The key it gives, with paths or groups in braces")
      ->required();
  set->add_option("--match", o->match, "A filter: which events it is for")
      ->type_name("JSON");
  set->add_option("--field", o->field,
                  "With a pattern: the path of the text it is looked for in");
  set->add_option("--pattern", o->pattern, "RE2; each match gives a key")
      ->type_name("RE2");
  set->add_option("--confidence", o->confidence,
                  "0 to 1 (default: 1); below the threshold it does not link");
  set->add_option("--window", o->window,
                  "How long a key links after it was last seen, in seconds "
                  "(default: 0, for ever)");
  add_action(*all, run, o, "delete",
             "Delete rules that were set; threads stay as they are",
             delete_rules)
      ->add_option("name", o->names, "Their names")
      ->required();
}

} // namespace eventweft::cli
