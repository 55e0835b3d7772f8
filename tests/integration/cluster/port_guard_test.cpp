// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/port_guard.hpp"
#include "tests/integration/cluster/plain_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

using ends = std::set<std::string>;

/// A port, those who came to it, and the ends that were taken for them.
class port_guard_test : public ::testing::Test {
 protected:
  plain_socket& come() {
    callers.push_back(plain_socket::connect(door.port()));
    taken.push_back(door.accept());
    return callers.back();
  }

  /// How many it ends.
  static size_t look(port_guard& guard, port_guard::nanoseconds now,
                     const port_guard::far_ends& members) {
    size_t ended = 0;
    for (const auto& one : guard.overdue(now, members))
      ended += guard.end(one, members) ? 1 : 0;
    return ended;
  }

  std::string end_of(const plain_socket& caller) {
    return far_end_of("127.0.0.1", caller.port());
  }

  plain_socket door = plain_socket::listen();
  std::vector<plain_socket> callers, taken;
};

TEST_F(port_guard_test, WhoSaysNothingIsEndedInTime) {
  port_guard guard{door.port(), {10s, 64}};
  callers.reserve(2);
  auto& early = come();
  EXPECT_EQ(look(guard, 1h, ends{}), 0u);
  auto& late = come();
  EXPECT_EQ(look(guard, 1h + 5s, ends{}), 0u);
  EXPECT_EQ(look(guard, 1h + 10s, ends{}), 1u);
  EXPECT_TRUE(early.ended());
  EXPECT_FALSE(late.ended());
  EXPECT_EQ(door.port(), taken[1].port()) << "who listens is no connection";
}

TEST_F(port_guard_test, LinksStayAndHaveTimeToComeBack) {
  port_guard guard{door.port(), {10s, 64}};
  auto& peer = come();
  EXPECT_EQ(look(guard, 1h, ends{end_of(peer)}), 0u);
  EXPECT_EQ(look(guard, 2h, ends{end_of(peer)}), 0u);
  // Down, not gone.
  EXPECT_EQ(look(guard, 2h + 9s, ends{}), 0u);
  EXPECT_EQ(look(guard, 2h + 9s, ends{end_of(peer)}), 0u);
  EXPECT_EQ(look(guard, 2h + 18s, ends{}), 0u);
  EXPECT_FALSE(peer.ended());
  EXPECT_EQ(look(guard, 2h + 19s, ends{}), 1u);
  EXPECT_TRUE(peer.ended());
}

TEST_F(port_guard_test, NobodyIsEndedWhileAMemberMayBeMeant) {
  port_guard guard{door.port(), {10s, 0}};
  auto& peer = come();
  EXPECT_EQ(look(guard, 1h, std::nullopt), 0u);
  EXPECT_EQ(look(guard, 2h, std::nullopt), 0u);
  EXPECT_FALSE(peer.ended());
}

TEST_F(port_guard_test, OfTooManyTheOldestGo) {
  port_guard guard{door.port(), {1h, 2}};
  callers.reserve(4);
  auto& member = come();
  auto& first = come();
  EXPECT_EQ(look(guard, 1s, ends{end_of(member)}), 0u);
  auto& second = come();
  EXPECT_EQ(look(guard, 2s, ends{end_of(member)}), 0u);
  auto& third = come();
  EXPECT_EQ(look(guard, 3s, ends{end_of(member)}), 1u);
  EXPECT_TRUE(first.ended());
  for (auto* stays : {&member, &second, &third})
    EXPECT_FALSE(stays->ended());
}

// Between the look and the end of it.
TEST_F(port_guard_test, WhoHasBecomeALinkMeanwhileStays) {
  port_guard guard{door.port(), {10s, 64}};
  callers.reserve(2);
  auto& peer = come();
  auto& gone = come();
  EXPECT_EQ(look(guard, 1h, ends{}), 0u);
  const auto overdue = guard.overdue(2h, ends{});
  ASSERT_EQ(overdue.size(), 2u);
  EXPECT_FALSE(guard.end(overdue[0], ends{end_of(peer), end_of(gone)}));
  EXPECT_FALSE(guard.end(overdue[0], std::nullopt));
  EXPECT_FALSE(peer.ended());
  // Its descriptor is somebody else's by now.
  EXPECT_FALSE(guard.end({overdue[1].fd, end_of(peer) + "0"}, ends{}));
  EXPECT_FALSE(gone.ended());
}

TEST_F(port_guard_test, OtherPortsAreNoneOfItsBusiness) {
  auto other = plain_socket::listen();
  port_guard guard{other.port(), {0s, 0}};
  auto& caller = come();
  EXPECT_EQ(look(guard, 1h, ends{}), 0u);
  EXPECT_FALSE(caller.ended());
}

} // namespace
} // namespace eventweft::testing
