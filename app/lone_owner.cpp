// SPDX-License-Identifier: Apache-2.0
#include "app/lone_owner.hpp"

#include "app/lone_node.hpp"

#include <utility>

namespace eventweft {

namespace {

/// After a crash nodes wait for so long.
constexpr std::chrono::seconds said_for{10};

} // namespace

lone_watch::lone_watch(std::unique_ptr<store_nodes> nodes, std::string me)
    : nodes_(std::move(nodes)), me_(std::move(me)) {}

// Says before it looks, and a node looks after it has said that it is there: of
// two that begin at the same time at least one sees the other.
expected<void> lone_watch::look() {
  // A predecessor that crashed may have the lease for a while, and a store that
  // takes nothing (a full disk) still tells who is there.
  said_ = nodes_->claim(me_, {std::string{alone_work}}, said_for).has_value();
  return check_alone(*nodes_);
}

void lone_watch::end() {
  if (std::exchange(said_, false))
    (void)nodes_->release(me_, {std::string{alone_work}});
}

lone_owner::lone_owner(lone_watch watch, bool alone, lone_owner_options options,
                       logger_ptr log)
    : watch_(std::move(watch)),
      options_(std::move(options)),
      log_(std::move(log)),
      alone_(alone) {
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
  const auto rest = [&] {
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, options_.pause, [] { return false; });
  };
  if (alone_)
    rest();
  while (!stop.stop_requested()) {
    const auto looked = watch_.look();
    if (!looked && looked.error().code == ec::bad_configuration) {
      stand_back(looked.error().message, stop);
      break;
    }
    if (looked && !alone_) {
      log_->info("no cluster's nodes are alive on the database: this node "
                 "begins with webhooks and processors");
      // As when work comes to a node of a cluster: each returns at once.
      alone_ = true;
      listeners_.tell();
    }
    rest();
  }
  watch_.end();
}

void lone_owner::stand_back(const std::string& why,
                            const std::stop_token& stop) {
  const bool had_work = alone_.exchange(false);
  if (had_work)
    listeners_.tell();
  if (options_.fatal)
    options_.fatal(why);
  if (!had_work)
    return;
  // What is under way ends with the process, and only then may a node begin;
  // if that takes long, once the lease has ended.
  std::unique_lock lock{mutex_};
  wake_.wait(lock, stop, [] { return false; });
}

expected<std::shared_ptr<ownership>> own_alone(store& there, bool answers,
                                               lone_owner_options options,
                                               const logger_ptr& log) {
  auto nodes = there.open_nodes();
  if (!nodes)
    return std::make_shared<sole_owner>();
  lone_watch watch{std::move(nodes), options.me};
  bool alone = false;
  if (answers) {
    const auto looked = watch.look();
    if (!looked && looked.error().code == ec::bad_configuration) {
      watch.end();
      return fail(looked.error());
    }
    alone = looked.has_value();
  }
  return std::make_shared<lone_owner>(std::move(watch), alone,
                                      std::move(options), log);
}

} // namespace eventweft
