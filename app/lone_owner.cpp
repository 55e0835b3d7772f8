// SPDX-License-Identifier: Apache-2.0
#include "app/lone_owner.hpp"

#include "app/lone_node.hpp"

#include <utility>

namespace eventweft {

lone_owner::lone_owner(std::unique_ptr<store_nodes> nodes,
                       lone_owner_options options, logger_ptr log)
    : nodes_(std::move(nodes)),
      options_(std::move(options)),
      log_(std::move(log)) {
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

lone_owner::~lone_owner() = default;

std::optional<fence> lone_owner::held(const std::string& work) {
  return alone_ ? std::optional{fence{work, 0}} : std::nullopt;
}

std::string lone_owner::holder(const std::string&) const {
  return {};
}

std::shared_ptr<void> lone_owner::on_change(std::function<void()> changed) {
  return listeners_.add(std::move(changed));
}

void lone_owner::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto alone = check_alone(*nodes_);
    if (!alone && alone.error().code == ec::bad_configuration) {
      if (options_.fatal)
        options_.fatal(alone.error().message);
      return;
    }
    if (alone) {
      log_->info("no cluster's nodes are alive on the database: this node "
                 "begins with webhooks and processors");
      // As when work comes to a node of a cluster: each returns at once.
      alone_ = true;
      listeners_.tell();
      return;
    }
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, options_.pause, [] { return false; });
  }
}

expected<std::shared_ptr<ownership>> own_alone(store& there, bool answers,
                                               lone_owner_options options,
                                               const logger_ptr& log) {
  auto nodes = there.open_nodes();
  if (!nodes)
    return std::make_shared<sole_owner>();
  if (answers) {
    const auto alone = check_alone(*nodes);
    if (alone)
      return std::make_shared<sole_owner>();
    if (alone.error().code == ec::bad_configuration)
      return fail(alone.error());
  }
  return std::make_shared<lone_owner>(std::move(nodes), std::move(options),
                                      log);
}

} // namespace eventweft
