// SPDX-License-Identifier: Apache-2.0
#include "app/actors_bridge.hpp"

#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <algorithm>
#include <map>

namespace eventweft {

namespace {

/// What waits in the mailboxes of all actors of a name.
class mailbox_collector {
 public:
  std::map<std::string, int64_t> found;

  void operator()(const caf::telemetry::metric_family* family,
                  const caf::telemetry::metric* instance,
                  const caf::telemetry::int_gauge* value) {
    if (family->prefix() != "caf.actor" || family->name() != "mailbox-size")
      return;
    for (const auto& label : instance->labels()) {
      const auto name = label.value();
      found[std::string{name.begin(), name.end()}] += value->value();
    }
  }

  template <class T>
  void operator()(const caf::telemetry::metric_family*,
                  const caf::telemetry::metric*, const T*) {
    // nop
  }
};

void text(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out.append(name).append("\":");
  codec::append_quoted(out, value);
}

void number(std::string& out, std::string_view name, int64_t value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out.append(name).append("\":").append(std::to_string(value));
}

void next(std::string& list) {
  if (list.back() != '[')
    list += ',';
  list += '{';
}

} // namespace

actors_bridge::actors_bridge(caf::actor_system& sys,
                             std::shared_ptr<actor_board> board,
                             std::shared_ptr<component_logs> logs,
                             std::shared_ptr<metrics> figures,
                             queue_limits limits,
                             std::shared_ptr<control_bus> control)
    : sys_(sys),
      board_(std::move(board)),
      logs_(std::move(logs)),
      figures_(std::move(figures)),
      limits_(limits),
      control_(std::move(control)) {}

std::string actors_bridge::actors_json() const {
  std::string out = R"({"actors":[{"name":"supervisor","state":"running",)"
                    R"("children":[)";
  for (const auto& e : board_->list()) {
    next(out);
    text(out, "name", e.name);
    text(out, "phase", e.phase);
    text(out, "state", e.state);
    if (e.since != timestamp{})
      text(out, "since", to_rfc3339(e.since));
    number(out, "restarts", e.restarts);
    if (!e.last_error.empty())
      text(out, "last_error", e.last_error);
    out += '}';
  }
  out += R"(]}],"mailboxes":[)";
  mailbox_collector mailboxes;
  sys_.metrics().collect(mailboxes);
  for (const auto& [name, messages] : mailboxes.found) {
    next(out);
    text(out, "name", name);
    number(out, "messages", messages);
    out += '}';
  }
  out += R"(],"queues":[)";
  codec::payload_reader reader;
  const auto json = figures_->json();
  const auto root = reader.parse(json);
  const auto queue = [&](std::string_view name, const char* pointer,
                         uint64_t limit) {
    int64_t depth = 0;
    if (!root || root->at_pointer(pointer).get(depth))
      return;
    next(out);
    text(out, "name", name);
    number(out, "depth", depth);
    if (limit > 0) {
      const auto room = static_cast<int64_t>(limit);
      number(out, "limit", room);
      number(out, "credit", std::max<int64_t>(room - depth, 0));
    }
    out += '}';
  };
  queue("ingest", "/queue/in_flight", limits_.ingest);
  queue("storage_writer", "/queue/writer", limits_.writer);
  queue("storage_reader", "/queue/reader", 0);
  queue("spool", "/queue/spool_events", 0);
  queue("processors:critical", "/processors/lanes/critical", 0);
  queue("processors:high", "/processors/lanes/high", 0);
  queue("processors:normal", "/processors/lanes/normal", 0);
  queue("processors:low", "/processors/lanes/low", 0);
  return out += "]}";
}

std::string actors_bridge::log_levels_json() const {
  std::string out = R"({"log_levels":[)";
  for (const auto& [component, level] : logs_->levels()) {
    next(out);
    text(out, "component", component);
    text(out, "level", level);
    out += '}';
  }
  return out += "]}";
}

expected<void> actors_bridge::set_log_level(std::string_view component,
                                            std::string_view level) {
  auto set = logs_->set_level(component, level);
  if (set)
    control_->announce(
        {control_kind::log_level, log_level_text(component, level)});
  return set;
}

} // namespace eventweft
