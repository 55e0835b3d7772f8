// SPDX-License-Identifier: Apache-2.0
// A process that is no node, beside nodes of a cluster.
#include "app/lone_node.hpp"
#include "app/lone_owner.hpp"
#include "config/loader.hpp"
#include "tests/unit/cluster/fake_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>

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

  static lone_owner_options quick() {
    lone_owner_options out;
    out.me = "here/1";
    out.pause = 1ms;
    return out;
  }

  std::optional<lease_record> said() {
    const auto leases = fake_nodes{db}.leases();
    const auto i = std::ranges::find(*leases, alone_work, &lease_record::work);
    return i == leases->end() ? std::nullopt : std::optional{*i};
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
  expected<void> forget_nodes(std::chrono::milliseconds age) override {
    return line_.forget_nodes(age);
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
  auto options = quick();
  options.fatal = [](const std::string& why) { ADD_FAILURE() << why; };
  lone_owner owner{lone_watch{std::make_unique<returning_nodes>(
                                  db, back.get_future().share()),
                              options.me},
                   false, options, null_logger()};
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
  auto options = quick();
  options.fatal = [&](std::string why) { ended.set_value(std::move(why)); };
  lone_owner owner{lone_watch{std::make_unique<returning_nodes>(
                                  db, back.get_future().share()),
                              options.me},
                   false, options, null_logger()};
  back.set_value();
  EXPECT_THAT(ended.get_future().get(), HasSubstr("node-1"));
  EXPECT_FALSE(owner.held("retention"));
}

TEST_F(lone_node_test, SaysThatItIsThereUntilItEnds) {
  lone_watch watch{std::make_unique<fake_nodes>(db), "here/1"};
  EXPECT_TRUE(watch.look());
  ASSERT_TRUE(said());
  EXPECT_EQ(said()->owner, "here/1");
  watch.end();
  EXPECT_FALSE(said());
}

TEST_F(lone_node_test, APredecessorThatCrashedIsInNoOnesWay) {
  db->leases[std::string{alone_work}] = {"crashed/1", 1, db->now + 5s};
  lone_watch watch{std::make_unique<fake_nodes>(db), "here/1"};
  EXPECT_TRUE(watch.look());
  watch.end();
  EXPECT_EQ(said()->owner, "crashed/1");
}

/// A node joins after the first look, once `go` is there.
class joined_nodes final : public fake_nodes {
 public:
  joined_nodes(std::shared_ptr<shared_nodes> db, std::shared_future<void> go)
      : fake_nodes(db), rows_(std::move(db)), go_(std::move(go)) {}

  expected<std::vector<node_record>> all() override {
    if (looks_++ > 0) {
      go_.wait();
      auto& row = rows_->rows["node-1"];
      row.node.name = "node-1";
      row.beat = rows_->now;
    }
    return fake_nodes::all();
  }

 private:
  std::shared_ptr<shared_nodes> rows_;
  std::shared_future<void> go_;
  int looks_ = 0;
};

TEST_F(lone_node_test, EndsWhenANodeComesAndTellsThatOneWhenItHas) {
  std::promise<void> go;
  std::promise<std::string> ended;
  int changes = 0;
  auto options = quick();
  options.fatal = [&](std::string why) { ended.set_value(std::move(why)); };
  {
    lone_watch watch{
        std::make_unique<joined_nodes>(db, go.get_future().share()),
        options.me};
    ASSERT_TRUE(watch.look());
    lone_owner owner{std::move(watch), true, options, null_logger()};
    const auto guard = owner.on_change([&] { ++changes; });
    EXPECT_TRUE(owner.held("processor:p"));
    go.set_value();
    EXPECT_THAT(ended.get_future().get(), HasSubstr("node-1"));
    EXPECT_FALSE(owner.held("processor:p"));
    EXPECT_EQ(changes, 1);
    EXPECT_TRUE(said()) << "what is under way ends first";
  }
  EXPECT_FALSE(said());
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
