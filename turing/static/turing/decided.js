// The witness sees the verdict as soon as there is one.

const undecided = document.getElementById("undecided");

async function look() {
  const response = await fetch(undecided.dataset.messages);
  if (response.ok && (await response.json()).is_decided) location.reload();
}

if (undecided) setInterval(() => look().catch(() => {}), 2000);
