// Times in the reader's zone; the exact one stays on hover.
"use strict";
const two = (number) => String(number).padStart(2, "0");
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const text = `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  time.title = `${text}:${two(at.getSeconds())} ${zone} (${time.title})`;
  if (!time.classList.contains("ago")) time.textContent = text;
}
