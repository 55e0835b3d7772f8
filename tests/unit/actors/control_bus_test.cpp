// SPDX-License-Identifier: Apache-2.0
#include "actors/control_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft {
namespace {

using ::testing::ElementsAre;

struct heard {
  std::vector<std::string> what;
  control_bus::callback into() {
    return [this](const control_event& e) { what.push_back(e.what); };
  }
};

TEST(control_bus, GoesToThoseWhoKeepTheKindAndToTheCarriers) {
  control_bus bus;
  heard streams, keys, carried;
  auto a = bus.subscribe(control_kind::streams, streams.into());
  auto b = bus.subscribe(control_kind::keys, keys.into());
  auto c = bus.carry(carried.into());
  bus.announce({control_kind::streams, "one"});
  bus.deliver({control_kind::keys, "from afar"});
  EXPECT_THAT(streams.what, ElementsAre("one"));
  EXPECT_THAT(keys.what, ElementsAre("from afar"));
  EXPECT_THAT(carried.what, ElementsAre("one")) << "what came is not sent back";
}

TEST(control_bus, AGuardThatIsGoneEndsIt) {
  heard one;
  auto bus = std::make_unique<control_bus>();
  auto guard = bus->subscribe(control_kind::rules, one.into());
  bus->announce({control_kind::rules, "a"});
  guard.reset();
  bus->announce({control_kind::rules, "b"});
  EXPECT_THAT(one.what, ElementsAre("a"));
  guard = bus->subscribe(control_kind::rules, one.into());
  bus.reset();
  guard.reset();
}

TEST(control_bus, ACallbackMayAnnounceAndLeave) {
  control_bus bus;
  heard streams;
  auto a = bus.subscribe(control_kind::streams, streams.into());
  std::shared_ptr<void> self;
  self = bus.subscribe(control_kind::keys, [&](const control_event& e) {
    self.reset();
    bus.announce({control_kind::streams, e.what});
  });
  bus.announce({control_kind::keys, "k"});
  bus.announce({control_kind::keys, "k"});
  EXPECT_THAT(streams.what, ElementsAre("k"));
}

TEST(control_bus, ALogLevelIsOfAllPartsOrOfOne) {
  using pair = std::pair<std::string_view, std::string_view>;
  EXPECT_EQ(log_level_text("*", "debug"), "debug");
  EXPECT_EQ(log_level_text("stream_hub", "debug"), "stream_hub=debug");
  EXPECT_EQ(read_log_level("debug"), (pair{"*", "debug"}));
  EXPECT_EQ(read_log_level("stream_hub=debug"), (pair{"stream_hub", "debug"}));
  EXPECT_EQ(read_log_level(""), (pair{"*", ""}));
}

TEST(control_bus, ALevelComesByALinkOnlyWhileTheBellIsNotHeard) {
  control_bus bus;
  heard level, keys;
  auto a = bus.subscribe(control_kind::log_level, level.into());
  auto b = bus.subscribe(control_kind::keys, keys.into());
  bus.deliver_by_link({control_kind::log_level, "warn"});
  bus.hears_bell() = true;
  bus.deliver_by_link({control_kind::log_level, "error"});
  bus.deliver_by_link({control_kind::keys, "k"});
  bus.deliver({control_kind::log_level, "info"});
  EXPECT_THAT(level.what, ElementsAre("warn", "info"));
  EXPECT_THAT(keys.what, ElementsAre("k"));
}

TEST(control_bus, ARevokedKeyIsToldFromOneThatWasMade) {
  constexpr auto id = "0123456789abcdef";
  EXPECT_EQ(read_revoked_key(revoked_key_text(id)), id);
  EXPECT_EQ(read_revoked_key(id), "");
  EXPECT_EQ(read_revoked_key(""), "");
}

TEST(control_bus, AResyncMeansEverythingThatIsKept) {
  control_bus bus;
  heard streams, level;
  auto a = bus.subscribe(control_kind::streams, streams.into());
  auto b = bus.subscribe(control_kind::log_level, level.into());
  bus.resync();
  EXPECT_THAT(streams.what, ElementsAre(""));
  EXPECT_THAT(level.what, ElementsAre());
}

} // namespace
} // namespace eventweft
