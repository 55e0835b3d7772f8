// SPDX-License-Identifier: Apache-2.0
// A process that is no node, beside nodes of a cluster.
#include "app/lone_node.hpp"
#include "app/lone_owner.hpp"
#include "config/loader.hpp"
#include "tests/unit/cluster/fake_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using testing::fake_nodes;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::shared_nodes;

class lone_node_test : public ::testing::Test {
 protected:
  void add(const std::string& name, std::chrono::milliseconds silent,
           std::optional<std::chrono::milliseconds> dead_after,
           node_state state = node_state::up) {
    auto& row = db->rows[name];
    row.node.name = name;
    row.node.http = "10.0.0.1:8080";
    row.node.dead_after = dead_after;
    row.node.state = state;
    row.beat = db->now - silent;
  }

  std::string fault() {
    fake_nodes line{db};
    const auto alone = check_alone(line);
    if (alone)
      return {};
    EXPECT_EQ(alone.error().code, ec::bad_configuration);
    return alone.error().message;
  }

  std::shared_ptr<shared_nodes> db = std::make_shared<shared_nodes>();
};

TEST_F(lone_node_test, StartsWhereAClusterIsNoMore) {
  EXPECT_EQ(fault(), "");
  add("crashed", 8s, 7s);
  add("older", 8s, {});
  add("left", 1s, 7s, node_state::left);
  EXPECT_EQ(fault(), "");
}

TEST_F(lone_node_test, IsToldWhichNodesAreAlive) {
  add("crashed", 8s, 7s);
  add("node-1", 1s, 7s);
  add("node-2", 8s, 42s, node_state::draining);
  const auto why = fault();
  EXPECT_THAT(why, HasSubstr("node-1 (10.0.0.1:8080), node-2"));
  EXPECT_THAT(why, HasSubstr("enabled = true"));
  EXPECT_THAT(why, HasSubstr("dead after 42 s"));
  EXPECT_THAT(why, Not(HasSubstr("crashed (")));
}

TEST_F(lone_node_test, AStoreThatDoesNotSayIsAnotherMatter) {
  fake_nodes line{db};
  line.cut = true;
  EXPECT_EQ(check_alone(line).error().code, ec::store_unavailable);
}

/// Away until it is asked for the second time.
class returning_nodes final : public store_nodes {
 public:
  returning_nodes(std::shared_ptr<shared_nodes> db,
                  std::shared_future<void> back)
      : line_(std::move(db)), back_(std::move(back)) {}

  expected<std::vector<node_record>> all() override {
    line_.cut = asked_++ == 0;
    if (!line_.cut)
      back_.wait();
    return line_.all();
  }
  expected<uuid> store_id() override { return line_.store_id(); }
  expected<std::vector<node_record>>
  beat(const node_record& me, std::chrono::milliseconds dead_after) override {
    return line_.beat(me, dead_after);
  }
  expected<std::vector<fence>> claim(const std::string& owner,
                                     const std::vector<std::string>& works,
                                     std::chrono::milliseconds ttl) override {
    return line_.claim(owner, works, ttl);
  }
  expected<void> release(const std::string& owner,
                         const std::vector<std::string>& works) override {
    return line_.release(owner, works);
  }
  expected<void> leave(const node_record& me) override {
    return line_.leave(me);
  }
  expected<std::vector<lease_record>> leases() override {
    return line_.leases();
  }
  expected<void> forget_leases(std::chrono::milliseconds age) override {
    return line_.forget_leases(age);
  }
  expected<void> ring(const std::string& text) override {
    return line_.ring(text);
  }

 private:
  fake_nodes line_;
  std::shared_future<void> back_;
  int asked_ = 0;
};

TEST_F(lone_node_test, OwnsNothingUntilTheStoreSaysThatItIsAlone) {
  std::promise<void> back, changed;
  lone_owner_options options;
  options.pause = 1ms;
  options.fatal = [](const std::string& why) { ADD_FAILURE() << why; };
  lone_owner owner{
      std::make_unique<returning_nodes>(db, back.get_future().share()), options,
      null_logger()};
  const auto guard = owner.on_change([&] { changed.set_value(); });
  EXPECT_FALSE(owner.held("retention"));
  back.set_value();
  changed.get_future().wait();
  EXPECT_EQ(owner.held("retention")->token, 0);
}

TEST_F(lone_node_test, EndsBesideAClusterAndNeverOwnsAnything) {
  add("node-1", 1s, 7s);
  std::promise<void> back;
  std::promise<std::string> ended;
  lone_owner_options options;
  options.pause = 1ms;
  options.fatal = [&](std::string why) { ended.set_value(std::move(why)); };
  lone_owner owner{
      std::make_unique<returning_nodes>(db, back.get_future().share()), options,
      null_logger()};
  back.set_value();
  EXPECT_THAT(ended.get_future().get(), HasSubstr("node-1"));
  EXPECT_FALSE(owner.held("retention"));
}

TEST(IdleCluster, IsASectionThatSaysAnythingButEnabled) {
  const auto said = [](const std::string& toml) {
    const auto loaded = config::load_text(toml, "c.toml", {});
    EXPECT_TRUE(loaded);
    return idle_cluster(loaded->values.cluster);
  };
  EXPECT_EQ(said(""), "");
  EXPECT_EQ(said("[cluster]\nenabled = false\n"), "");
  EXPECT_EQ(said("[cluster]\nenabled = true\nname = \"a\"\n"), "");
  EXPECT_THAT(said("[cluster]\nname = \"a\"\n"), HasSubstr("enabled = true"));
  EXPECT_THAT(said("[cluster]\nlisten = \"127.0.0.1:7400\"\n"),
              HasSubstr("no effect"));
}

} // namespace
} // namespace eventweft
