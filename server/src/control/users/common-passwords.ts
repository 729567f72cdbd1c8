/**
 * The passwords of twelve or more characters that lead the public lists of breached ones, and the words that most of the
 * others are made of. Small enough to ship; what it misses, the delays after failures make too slow to guess.
 */

export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `123456789012 1234567890123 12345678901234 123123123123 112233445566 121212121212 147258369147 789456123789
  1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc zaq12wsxcde3 qazwsxedcrfv qazwsxedcrfvtgb
  q1w2e3r4t5y6 q1w2e3r4t5y6u7 qwer1234asdf qwe123qwe123 qweasdzxc123 asdf1234qwer zxcvbnm12345 a1b2c3d4e5f6 abc123abc123 abcd1234abcd
  aa123456789a passwordpassword password12345 password123456 passw0rd1234 p@ssw0rd1234 p@ssword1234 correcthorsebatterystaple
  thisismypassword letmeinletmein iloveyou1234 iloveyouforever trustno1trustno1 changemechangeme adminadminadmin administrator
  administrator1 welcomewelcome unbelievable mypassword123 ihateyou12345 fuckyoufuckyou jesuschrist1 liverpoolfc1 manchesterunited
  chelseafc1905 barcelona1899 realmadrid123 arsenal12345 ferrari12345 harleydavidson motherfucker motorola1234 thunderbird1
  whatever1234 masterchief1 spongebob123 starwars1234 superman1234 batman123456 pokemon12345 minecraft123 football1234 baseball1234
  basketball12 dragonballz1 finalfantasy counterstrike callofduty123 leagueoflegends worldofwarcraft assassinscreed michaeljackson
  marilynmanson linkinpark12 greenday1234 slipknot6666 metallica666 ironmaiden666 blackmetal666 deathnote123 naruto123456
  sasukeuchiha narutouzumaki sakuraharuno monkeydluffy christopher1 elizabeth123 alexander123 sebastian123 valentina123
  bismillah123 alhamdulillah indonesia123 philippines1 australia123 california123 sanfrancisco losangeles123 newyorkcity1`
    .trim()
    .split(/\s+/),
)

export const COMMON_WORDS: readonly string[] =
  `password passwort passwd pass secret geheim letmein welcome willkommen admin administrator root user guest login default
  changeme change test testing demo master monkey dragon shadow sunshine princess football baseball superman batman iloveyou
  love lovely hello freedom whatever trustno1 qwerty qwertz azerty asdf zxcv qazwsx 1q2w3e 1qaz2wsx abc abcd 123 1234 12345 123456 1234567890
  summer winter spring autumn sommer herbst january february march april june july august september october november december
  monday tuesday wednesday thursday friday saturday sunday company server system office internet computer
  google facebook apple microsoft samsung headgate gateway 2019 2020 2021 2022 2023 2024 2025 2026 2027 2028 000 111 222 333 666 777 888 999`
    .trim()
    .split(/\s+/)
