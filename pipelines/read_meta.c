/* Prints the faces of a video with GStreamer alone, none of our code:
 *   cc pipelines/read_meta.c -o read_meta $(pkg-config --cflags --libs gstreamer-video-1.0)
 *   GST_PLUGIN_PATH=$PWD/target/release ./read_meta VIDEO
 * Stream time in seconds, id, label, confidence and box of each, and where it is classified the seven probabilities. */
#include <gst/gst.h>
#include <gst/video/gstvideometa.h>

static GstPadProbeReturn
print_faces (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstMoodFrame");
  if (meta == NULL)
    return GST_PAD_PROBE_OK;
  const GValue *faces = gst_structure_get_value (gst_custom_meta_get_structure (meta), "faces");
  for (guint i = 0; faces != NULL && i < gst_value_array_get_size (faces); i++) {
    const GstStructure *face = gst_value_get_structure (gst_value_array_get_value (faces, i));
    guint id = 0;
    gdouble x = 0, y = 0, w = 0, h = 0, confidence = 0;
    gst_structure_get (face, "id", G_TYPE_UINT, &id, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y,
        "w", G_TYPE_DOUBLE, &w, "h", G_TYPE_DOUBLE, &h, NULL);
    /* A face that has not been classified has no label. */
    const gchar *label = gst_structure_get_string (face, "label");
    gst_structure_get_double (face, "confidence", &confidence);
    g_print ("%.3f %u %s %.3f %.4f %.4f %.4f %.4f", GST_BUFFER_PTS (buffer) / 1e9, id,
        label ? label : "unclassified", confidence, x, y, w, h);
    const GValue *probabilities = gst_structure_get_value (face, "probabilities");
    for (guint j = 0; probabilities != NULL && j < gst_value_array_get_size (probabilities); j++)
      g_print (" %.3f", g_value_get_double (gst_value_array_get_value (probabilities, j)));
    g_print ("\n");

    /* The same face as a region of interest, in pixels. */
    GstVideoRegionOfInterestMeta *region =
        gst_buffer_get_video_region_of_interest_meta_id (buffer, (gint) id);
    if (region != NULL && region->roi_type == g_quark_from_string ("face")) {
      GstStructure *result = gst_video_region_of_interest_meta_get_param (region, "classification");
      if (g_strcmp0 (label, result ? gst_structure_get_string (result, "label") : NULL) != 0)
        g_printerr ("region %u has another label\n", id);
    }
  }
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: read_meta VIDEO\n");
    return 2;
  }
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (
      "filesrc name=source ! decodebin ! videoconvert ! videoflip video-direction=auto ! "
      "haarfacedetect ! emotionclassify ! fakesink name=sink", &error);
  if (error != NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  g_object_set (source, "location", argv[1], NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, print_faces, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  int code = 0;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", argv[1], error->message);
    g_clear_error (&error);
    code = 1;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  return code;
}
